// Moving a chart along its time: by dragging with Shift or the middle button, by the wheel with Shift, or with two fingers,
// which also bring it nearer and farther. Only the drawing moves meanwhile; then the range that it came to is asked for.

import { serverTime } from './api.js';

const leastPx = 4; // less is no move
const restMs = 250; // without a turn of the wheel it has come to rest
const linePx = 16; // of wheels that count lines
const fingersApartPx = 24; // nearer together they only move
const farthest = 20; // times as near, or as far, in one move

// node: around the plot. plot(): the uPlot, or null. range(): { fromS, toS } that is shown.
// onMove(fromS, toS): another range is wished for; false if it is the same.
// onHold(held): whether somebody holds the chart, so that it must not be drawn anew.
// Returns { close() }.
export function pannable(node, { plot, range, onMove, onHold }) {
  let start = null; // { min, max } of the plot's time when the move began, and the range { fromS, toS } of then
  let asked = null; // the same of where the last one ended: until its numbers come the chart stays there
  let rest = 0;

  const now = () => plot().scales.x;

  function begin() {
    const { min, max } = now();
    const { fromS, toS } = asked?.min === min && asked?.max === max ? asked : range();
    start = { min, max, fromS, toS };
    onHold(true);
  }

  // The range that such a part of the drawing stands for.
  function rangeAt({ min, max }) {
    const { fromS, toS } = start;
    const scale = (max - min) / (start.max - start.min);
    return [min + (fromS - start.min) * scale, min + (toS - start.min) * scale];
  }

  // Not into the future.
  function show(min, max) {
    const [, to] = rangeAt({ min, max });
    const over = Math.max(0, to - serverTime() / 1000);
    plot().setScale('x', { min: min - over, max: max - over });
  }

  function shift(px) {
    const by = (px / plot().over.clientWidth) * (start.max - start.min);
    show(start.min - by, start.max - by);
  }

  function end() {
    const from = start;
    const { min, max } = now();
    const secondsPerPx = (from.max - from.min) / plot().over.clientWidth;
    const far = Math.max(Math.abs(min - from.min), Math.abs(max - from.max)) >= leastPx * secondsPerPx;
    const wished = far ? rangeAt({ min, max }) : null;
    start = null;
    onHold(false);
    if (wished && onMove(...wished)) asked = { min, max, fromS: wished[0], toS: wished[1] };
    else plot().setScale('x', { min: from.min, max: from.max });
  }

  const ready = () => Boolean(plot()) && now().max > now().min;

  // ---- The mouse ----

  function press(event) {
    if (start || !ready() || !(event.button === 1 || (event.button === 0 && event.shiftKey))) return;
    event.preventDefault(); // neither a selection nor scrolling by itself
    event.stopPropagation(); // nor uPlot's own drag
    begin();
    node.classList.add('panned');
    const move = ({ clientX }) => start && shift(clientX - event.clientX);
    const leave = ({ button }) => {
      if (button !== event.button) return;
      removeEventListener('mousemove', move);
      removeEventListener('mouseup', leave);
      node.classList.remove('panned');
      if (start) end();
    };
    addEventListener('mousemove', move);
    addEventListener('mouseup', leave);
  }

  let turned = 0;

  function turn(event) {
    const { deltaX, deltaY, deltaMode } = event;
    if (!event.shiftKey || event.ctrlKey || !ready() || (start && !rest)) return;
    event.preventDefault();
    if (!start) {
      begin();
      turned = 0;
    }
    turned += (deltaX || deltaY) * (deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : linePx);
    shift(-turned);
    clearTimeout(rest);
    rest = setTimeout(() => {
      rest = 0;
      end();
    }, restMs);
  }

  // ---- Two fingers ----

  let held = null; // where they began: { middle, apart } in px

  function fingers({ touches }) {
    const { left } = plot().over.getBoundingClientRect();
    const [a, b] = [touches[0].clientX - left, touches[1].clientX - left];
    return { middle: (a + b) / 2, apart: Math.abs(a - b) };
  }

  function touch(event) {
    if (event.touches.length !== 2 || start || !ready()) return;
    event.preventDefault(); // the page neither scrolls nor grows
    begin();
    held = fingers(event);
  }

  // What was between the fingers stays there.
  function touchMove(event) {
    if (!held || event.touches.length !== 2) return;
    event.preventDefault();
    const { middle, apart } = fingers(event);
    const spread = Math.min(held.apart, apart) < fingersApartPx ? 1 : held.apart / apart;
    const scale = Math.min(farthest, Math.max(1 / farthest, spread));
    const perPx = (start.max - start.min) / plot().over.clientWidth;
    const min = start.min + held.middle * perPx - middle * perPx * scale;
    show(min, min + (start.max - start.min) * scale);
  }

  function touchEnd(event) {
    if (!held || event.touches.length >= 2) return;
    held = null;
    end();
  }

  // ---- Whatever holds it ----

  const hold = () => onHold(true);
  const release = () => start || onHold(false); // else end() does

  node.addEventListener('pointerdown', hold);
  for (const event of ['pointerup', 'pointercancel']) addEventListener(event, release);
  node.addEventListener('mousedown', press, { capture: true });
  node.addEventListener('wheel', turn, { passive: false });
  node.addEventListener('touchstart', touch, { passive: false });
  node.addEventListener('touchmove', touchMove, { passive: false });
  for (const event of ['touchend', 'touchcancel']) node.addEventListener(event, touchEnd);

  return {
    close() {
      for (const event of ['pointerup', 'pointercancel']) removeEventListener(event, release);
      clearTimeout(rest);
      start = held = null;
    },
  };
}
