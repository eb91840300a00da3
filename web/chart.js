// One channel's time line: words, messages and chatters a minute. uPlot draws on a canvas; names, values at the cursor
// and switches are ordinary elements around it. Another range is asked for by dragging over a part of it, by moving it
// (pan.js), by its buttons or by keys: arrows, + and -.

import { element, setText } from './dom.js';
import { clock, compact, count, dayAndClock, percent } from './format.js';
import { pannable } from './pan.js';
import { levelsOf } from './viewers.js';

const series = [
  { name: 'words', label: 'Words', colour: '--words', fill: true },
  { name: 'messages', label: 'Messages', colour: '--messages' },
  { name: 'chatters', label: 'Chatters', colour: '--chatters' },
];
// Drawn to scales of their own, and only where anything is known of them; their columns are behind those of points().
const levels = [
  { name: 'viewers', label: 'Viewers', colour: '--viewers', said: count, axis: true, room: 1.2 },
  {
    name: 'participation',
    label: 'Take part',
    title: 'Distinct chatters of ten minutes, for each of those who watched',
    colour: '--participation',
    said: percent,
    room: 1.5,
    off: true,
  },
];
const levelsAt = 1 + 2 * series.length;
const markColours = { live: '--good', offline: '--muted', game: '--accent', title: '--accent' };
const minuteS = 60;
const timeSteps = [
  60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000,
]; // between labels, s

// The columns that uPlot draws: times, then finished values, then the way from the last of them to the rate of right now
// (drawn dashed: it is not final).
//   minutes: Unix seconds -> row of rowS seconds; one without a row had no messages. Steps longer than that show the mean
//   of theirs, of chatters the mean of those with messages.
//   seenS: when the channel was first seen; before that nothing is known, and nothing is drawn.
//   now: the values of the last 60 seconds, or null
export function points(minutes, { fromS, toS, stepS, rowS = minuteS, seenS, now }) {
  const current = Math.floor(toS / minuteS) * minuteS; // the minute in progress
  const times = [];
  const finished = series.map(() => []);
  const open = series.map(() => []);
  for (let start = Math.ceil(fromS / stepS) * stepS; start < current; start += stepS) {
    const end = Math.min(start + stepS, current);
    const length = end - Math.max(start, Math.floor(seenS / minuteS) * minuteS);
    const sums = series.map(() => 0);
    let said = 0;
    for (let minute = start; length > 0 && minute < end; minute += rowS) {
      const row = minutes.get(minute);
      if (!row) continue;
      series.forEach(({ name }, i) => (sums[i] += row[name]));
      said++;
    }
    times.push(start);
    finished.forEach((column, i) => {
      const each = series[i].name === 'chatters' ? 1 / Math.max(1, said) : minuteS / length;
      column.push(length > 0 ? sums[i] * each : null);
    });
    open.forEach((column) => column.push(null));
  }
  if (now) {
    const last = times.length - 1;
    times.push(toS);
    series.forEach(({ name }, i) => {
      if (last >= 0) open[i][last] = finished[i][last];
      finished[i].push(null);
      open[i].push(now[name]);
    });
  }
  return [times, ...finished, ...open];
}

// Where a range lies after a key or a button: earlier, later, nearer, farther.
export const moves = {
  earlier: ({ fromS, toS }) => [fromS - (toS - fromS) / 4, toS - (toS - fromS) / 4],
  later: ({ fromS, toS }) => [fromS + (toS - fromS) / 4, toS + (toS - fromS) / 4],
  nearer: ({ fromS, toS }) => [fromS + (toS - fromS) / 4, toS - (toS - fromS) / 4],
  farther: ({ fromS, toS }) => [fromS - (toS - fromS) / 2, toS + (toS - fromS) / 2],
};
export const moveKeys = { ArrowLeft: 'earlier', ArrowRight: 'later', '+': 'nearer', '=': 'nearer', '-': 'farther' };
const moving = 'or drag the chart with Shift or the middle button, turn the wheel with Shift, or use two fingers';
const buttons = [
  ['earlier', '‹', 'Earlier', `←, ${moving}`],
  ['later', '›', 'Later', `→, ${moving}`],
  ['nearer', '+', 'Nearer', '+, or drag over a part of the chart'],
  ['farther', '−', 'Farther', '−'],
];
export const help = `Drag over a part to see it from nearer. To move along: arrow keys, ${moving}.`;
const draggedAtLeast = 5; // px; less is a click

export class Chart {
  // onSelect(fromS, toS), onMove(name of a move): another range is wished for; the first says false if it is the same.
  // onToggle(): another line is shown, or hidden
  constructor({ onSelect, onMove, onToggle }) {
    this.onSelect = onSelect;
    this.onMove = onMove;
    this.onToggle = onToggle;
    this.hidden = new Set(levels.filter(({ off }) => off).map(({ name }) => name));
    this.known = {}; // by name of a level
    this.legend = element('div', { class: 'legend', role: 'group', 'aria-label': 'Lines of the chart' });
    this.values = {};
    for (const { name, label, title } of [...series, ...levels]) {
      const value = element('span', { class: 'value' });
      this.values[name] = value;
      this.legend.append(
        element(
          'button',
          {
            type: 'button',
            class: `line line-${name}`,
            hidden: levels.some((level) => level.name === name),
            title,
            'aria-pressed': String(!this.hidden.has(name)),
            onclick: (event) => this.toggle(name, event.currentTarget),
          },
          element('span', { class: 'swatch', 'aria-hidden': 'true' }),
          label,
          value,
        ),
      );
    }
    this.moment = element('span', { class: 'moment' });
    this.legend.append(this.moment);
    this.zoom = element('div', { class: 'zoom', role: 'group', 'aria-label': 'Range of the chart' });
    for (const [name, text, label, how] of buttons)
      this.zoom.append(
        element(
          'button',
          { type: 'button', class: 'quiet', 'aria-label': label, title: `${label}: ${how}`, onclick: () => this.onMove(name) },
          text,
        ),
      );
    this.legend.append(this.zoom);
    this.canvas = element('div', {
      class: 'canvas',
      role: 'img',
      tabindex: '0',
      'aria-label': 'Words, messages and chatters a minute',
      'aria-keyshortcuts': 'ArrowLeft ArrowRight + -',
      'aria-description': help,
      onkeydown: (event) => {
        if (!(event.key in moveKeys) || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        this.onMove(moveKeys[event.key]);
      },
    });
    this.pan = pannable(this.canvas, {
      plot: () => this.plot,
      range: () => this.range,
      onMove: this.onSelect,
      onHold: (held) => (this.held = held),
    });
    this.node = element('div', { class: 'chart' }, this.legend, this.canvas);
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(this.canvas);
    this.recolour = () => this.rebuild();
    addEventListener('themechange', this.recolour);
  }

  close() {
    this.pan.close();
    this.resize.disconnect();
    removeEventListener('themechange', this.recolour);
    this.plot?.destroy();
  }

  toggle(name, button) {
    if (this.hidden.delete(name) === false) this.hidden.add(name);
    button.setAttribute('aria-pressed', String(!this.hidden.has(name)));
    const show = !this.hidden.has(name);
    levels.forEach((level, i) => level.name === name && this.plot?.setSeries(levelsAt + i, { show }));
    series.forEach((line, i) => {
      if (line.name !== name) return;
      this.plot?.setSeries(i + 1, { show });
      this.plot?.setSeries(i + 1 + series.length, { show });
    });
    this.onToggle();
  }

  shows(name) {
    return !this.hidden.has(name);
  }

  // Which levels can be shown at all, by name.
  offer(known) {
    for (const { name } of levels) this.legend.querySelector(`.line-${name}`).hidden = !known[name];
    const [before, after] = [this.known, known].map((one) => levels.map(({ name }) => Boolean(one[name])).join());
    this.known = known;
    return before !== after;
  }

  // See points(), levelsOf() and changesOf(). moments: [{ s }]. participation: rows of it, or null where
  // the server has none for such a range.
  show(minutes, range) {
    if (this.held && this.plot) return; // a drag would lose what it has marked, or moved
    const columns = points(minutes, range);
    const viewers = levelsOf(range.viewers, columns[0], range.stepS, range.rowS, range.watching);
    const part = levelsOf(range.participation ?? [], columns[0], range.stepS, minuteS, undefined, 'participation');
    this.range = range;
    this.layers = columns[0].map((time) => minutes.get(time)?.layer);
    this.data = [...columns, viewers, part];
    const others = this.offer({
      viewers: viewers.some((value) => value !== null),
      participation: range.participation !== null,
    });
    if (this.plot && !others) this.plot.setData(this.data);
    else this.rebuild();
    this.describe();
    this.readOut();
  }

  fit() {
    const { width, height } = this.size();
    if (this.plot && width > 0 && (width !== this.plot.width || height !== this.plot.height))
      this.plot.setSize({ width, height });
    else if (!this.plot && this.range) this.rebuild();
  }

  size() {
    return { width: Math.floor(this.canvas.clientWidth), height: Math.floor(this.canvas.clientHeight) };
  }

  rebuild() {
    const size = this.size();
    if (size.width === 0 || !this.range) return;
    this.plot?.destroy();
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const line = ({ name, label, colour: stroke, fill }, dashed) => ({
      label,
      show: !this.hidden.has(name),
      stroke: colour(stroke),
      width: 1.75,
      dash: dashed ? [3, 3] : undefined,
      fill: fill ? colour(`${stroke}-fill`) : undefined,
      // A line needs two points; where there is one, it is a dot.
      points: {
        size: 6,
        fill: colour(stroke),
        show: (plot, i) => plot.data[i].reduce((number, value) => number + (value !== null), 0) === 1,
      },
    });
    this.plot = new uPlot(
      {
        ...size,
        padding: [8, 20, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
        scales: {
          x: {
            time: true,
            range: (_, first, last) => (first < last ? [first, last] : [this.range.fromS, this.range.toS]),
          },
          y: { range: fromZero },
          // With more room above, so that they do not cover the words' line, nor each other.
          ...Object.fromEntries(levels.map(({ name, room }) => [name, { range: (_, __, max) => fromZero(_, __, max * room) }])),
        },
        axes: [
          timeAxis(style),
          valueAxis(style),
          ...levels
            .filter(({ axis: drawn }) => drawn)
            .map(({ name, colour: stroke }) => ({
              ...valueAxis(style),
              scale: name,
              side: 1,
              show: Boolean(this.known[name]),
              grid: { show: false },
              stroke: colour(stroke),
            })),
        ],
        series: [
          {},
          ...series.map((one) => line(one, false)),
          ...series.map((one) => line(one, true)),
          ...levels.map((one) => ({ ...line(one, false), scale: one.name, width: 1.25 })),
        ],
        hooks: { setSelect: [(plot) => this.select(plot)], setCursor: [() => this.readOut()], draw: [(plot) => this.mark(plot, colour)] },
      },
      this.data,
      this.canvas,
    );
  }

  select(plot) {
    const { left, width } = plot.select;
    if (width >= draggedAtLeast) this.onSelect(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
    if (width > 0) plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  // A line across the chart where the stream changed, a mark above where chat stood out, and a fine line below along what
  // was counted anew from the log.
  mark(plot, colour) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.fillStyle = colour('--moment');
    for (const { s } of this.range.moments ?? []) {
      const x = plot.valToPos(s, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x - 4 * ratio, bbox.top - 6 * ratio);
      ctx.lineTo(x + 4 * ratio, bbox.top - 6 * ratio);
      ctx.lineTo(x, bbox.top + 2 * ratio);
      ctx.fill();
    }
    ctx.fillStyle = colour('--muted');
    this.layers.forEach((layer, i) => {
      if (layer !== 'batch') return;
      const x = plot.valToPos(this.data[0][i], 'x', true);
      const end = plot.valToPos(this.data[0][i + 1] ?? this.range.toS, 'x', true);
      ctx.fillRect(x, bbox.top + bbox.height - ratio, Math.max(0, end - x), ratio);
    });
    ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const { s, what } of this.range.changes) {
      const x = Math.round(plot.valToPos(s, 'x', true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = colour(markColours[what]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  // The values under the cursor, or the newest.
  readOut() {
    const times = this.data[0];
    const i = this.plot?.cursor.idx ?? times.length - 1;
    const { fromS, toS, stepS, now } = this.range;
    series.forEach(({ name }, s) => {
      const value = this.data[1 + s][i] ?? this.data[1 + series.length + s][i];
      setText(this.values[name], value == null ? '–' : count(value));
    });
    levels.forEach(({ name, said: text }, l) => setText(this.values[name], text(this.data[levelsAt + l][i])));
    const time = times[i] * 1000;
    if (i < 0) setText(this.moment, '');
    else if (now && i === times.length - 1) setText(this.moment, 'in the last 60 seconds');
    else
      setText(
        this.moment,
        `a minute at ${toS - fromS > 86400 ? dayAndClock(time) : clock(time)}${stepS > minuteS ? `, mean of ${span(stepS)}` : ''}${said(this.layers[i])}`,
      );
  }

  // What the picture shows, for those who do not see it.
  describe() {
    const [times, finished] = this.data;
    const open = this.data[1 + series.length];
    const words = finished.map((value, i) => value ?? open[i]);
    const known = words.filter((value) => value !== null);
    if (known.length === 0) return;
    const highest = words.indexOf(Math.max(...known));
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    this.canvas.setAttribute(
      'aria-label',
      `Words a minute from ${dayAndClock(this.range.fromS * 1000)} to ${clock(this.range.toS * 1000)}: ` +
        `now ${count(known.at(-1))}, mean ${count(mean)}, highest ${count(words[highest])} at ${clock(times[highest] * 1000)}.`,
    );
  }
}

export const span = (s) => (s < 3600 ? `${s / 60} min` : s < 86400 ? `${s / 3600} h` : 'a day');
const said = (layer) => (layer === 'batch' ? ' · recounted' : '');
const fromZero = (_, __, max) => [0, max > 0 ? max * 1.08 : 10];

// Axes as all charts have them; style: the computed one of the chart's element.
function axis(style) {
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    stroke: colour('--muted'),
    font: `12px ${style.fontFamily}`,
    ticks: { show: false },
    grid: { stroke: colour('--grid'), width: 1 },
  };
}

export function timeAxis(style) {
  return {
    ...axis(style),
    grid: { show: false },
    values: (_, splits) => timeLabels(splits),
    incrs: timeSteps,
    space: 70,
    size: 28,
  };
}

export function valueAxis(style) {
  return { ...axis(style), values: (_, splits) => splits.map(compact), size: 52, space: 40 };
}

// 13:05, and the day where a new one begins.
function timeLabels(splits) {
  let before = null;
  return splits.map((s) => {
    const date = new Date(s * 1000);
    const today = date.toDateString();
    const named = before !== null && today !== before;
    before = today;
    if (!named && !(date.getHours() === 0 && date.getMinutes() === 0)) return clock(s * 1000);
    return date.toLocaleDateString('en', { day: 'numeric', month: 'short' });
  });
}
