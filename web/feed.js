// The messages of one channel as they come, the newest at the bottom. It holds still while someone reads: when the pointer
// or the focus is in it, when it is scrolled up, or when the button was pressed. Messages wait meanwhile, the newest 200.

import { element, isPointedAt, paced, setText } from './dom.js';
import { fillText } from './emotes.js';
import { clock, count, harmless, hue } from './format.js';

const most = 200; // rows shown, and messages waiting
const hues = 6;
const nearEnd = 24; // px

// Nearly every message has an id.
const idOf = (row) => row.id || `${row.time} ${row.user_id} ${row.text}`;

export class Feed {
  // onFind(open): messages of before are to be looked for, or no longer
  constructor(onFind) {
    this.rows = new Map(); // what is shown, by id
    this.shown = []; // the same by time
    this.waiting = [];
    this.missed = 0; // waited too long, or sent faster than the server tells
    this.held = false;
    this.button = element(
      'button',
      { type: 'button', class: 'quiet', 'aria-pressed': 'false', onclick: () => this.hold(!this.held) },
      'Pause',
    );
    this.state = element('span', { class: 'note' });
    this.list = element('ol', { class: 'messages' });
    this.empty = element(
      'p',
      { class: 'nothing', hidden: true },
      'Nothing was said in the last hour. New messages appear here as they come.',
    );
    this.scroller = element(
      'div',
      {
        class: 'scroller live',
        tabindex: '0',
        role: 'log',
        'aria-live': 'off',
        'aria-label': 'Messages as they come',
      },
      this.empty,
      this.list,
    );
    this.find = element(
      'button',
      { type: 'button', class: 'quiet', 'aria-expanded': 'false', onclick: () => onFind(this.find.getAttribute('aria-expanded') !== 'true') },
      'Search',
    );
    this.node = element(
      'section',
      { class: 'panel feed', 'aria-labelledby': 'feed-title' },
      element('div', { class: 'head' }, element('h2', { id: 'feed-title' }, 'Messages'), this.state, this.find, this.button),
      this.scroller,
    );
    this.ask = paced(250, () => this.paint());
    this.showEmotes = () => {
      const reading = this.reading();
      refill(this.shown);
      this.toEnd = !reading;
      this.ask();
    };
    addEventListener('emoteschange', this.showEmotes);
    this.resize = new ResizeObserver(() => {
      this.toEnd = true; // the end moved away from the reader, not the reader from the end
      this.ask();
    });
    this.resize.observe(this.scroller);
    for (const event of ['pointerleave', 'focusout', 'scroll'])
      this.scroller.addEventListener(event, () => this.ask(), { passive: true });
  }

  close() {
    removeEventListener('emoteschange', this.showEmotes);
    this.resize.disconnect();
    this.ask.stop();
  }

  hold(held) {
    this.held = held;
    this.button.setAttribute('aria-pressed', String(held));
    setText(this.button, held ? 'Resume' : 'Pause');
    if (!held) this.toEnd = true;
    this.ask();
  }

  // What the log has; messages come one by one after it, and some of them twice.
  // expect() before they are asked for: what comes meanwhile waits, as it belongs behind them.
  expect() {
    this.expecting = true;
  }

  fill(rows) {
    this.expecting = false;
    this.filled = true;
    for (const row of rows) this.add(row);
    this.ask();
  }

  add(row) {
    const known = this.rows.get(idOf(row));
    if (known) {
      this.markRemoved([row]);
      return;
    }
    const at = this.waiting.findIndex((other) => idOf(other) === idOf(row));
    if (at >= 0) this.waiting[at] = row;
    else this.waiting.push(row);
    if (this.waiting.length > most) this.missed += this.waiting.splice(0, this.waiting.length - most).length;
    this.ask();
  }

  // Looks for shown messages that are known to be removed by now.
  markRemoved(rows) {
    for (const row of rows) {
      const known = row.deleted && this.rows.get(idOf(row));
      if (known && !known.row.deleted) remove(known, row);
    }
  }

  skip(number) {
    this.missed += number;
    this.ask();
  }

  reading() {
    if (this.held) return true;
    if (this.toEnd) return false;
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return (
      isPointedAt(this.scroller) ||
      this.scroller.matches(':focus-visible') ||
      scrollHeight - scrollTop - clientHeight > nearEnd
    );
  }

  paint() {
    if (this.expecting) return;
    this.empty.hidden = !this.filled || this.rows.size + this.waiting.length > 0;
    const unseen = this.waiting.length + this.missed;
    if (this.reading() && this.rows.size > 0) {
      setText(this.state, unseen > 0 ? `Paused · ${count(unseen)} new` : 'Paused');
      return;
    }
    setText(this.state, '');
    if (unseen > 0) this.append();
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.toEnd = false;
  }

  append() {
    this.waiting.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    if (this.missed > 0) {
      const node = element('li', { class: 'gap' }, `${count(this.missed)} messages not shown`);
      this.place({ node, row: { time: this.waiting[0]?.time ?? this.shown.at(-1)?.row.time ?? '' } });
      this.missed = 0;
    }
    for (const row of this.waiting) {
      const made = makeMessage(row);
      this.rows.set(idOf(row), made);
      this.place(made);
    }
    this.waiting = [];
    while (this.shown.length > most) {
      const { node, row } = this.shown.shift();
      node.remove();
      this.rows.delete(idOf(row));
    }
  }

  // Nearly always behind all others.
  place(made) {
    let at = this.shown.length;
    while (at > 0 && this.shown[at - 1].row.time > made.row.time) at--;
    this.list.insertBefore(made.node, this.shown[at]?.node ?? null);
    this.shown.splice(at, 0, made);
  }
}

// A message's row: { node, text, row }. time(ms): its time as text.
export function makeMessage(row, time = (ms) => clock(ms, true)) {
  const name = harmless(row.user_name || row.login || row.user_id);
  const text = element('bdi', { class: row.action ? 'text action' : 'text' });
  fillText(text, row);
  const node = element(
    'li',
    {},
    element('time', { datetime: row.time }, time(Date.parse(row.time))),
    ' ',
    element('bdi', { class: `name hue-${hue(String(row.user_id), hues)}` }, name),
    ' ',
    row.shared ? element('span', { class: 'tag', title: 'Said in another channel of a shared chat' }, 'shared') : null,
    row.shared ? ' ' : null,
    text,
  );
  const made = { node, text, row };
  if (row.deleted) remove(made, row);
  return made;
}

// Emotes are to be shown otherwise than when these messages were made.
export function refill(all) {
  for (const { text, row } of all) if (text && !row.deleted) fillText(text, row);
}

function remove(made, row) {
  made.row = row;
  made.node.classList.add('removed');
  made.text.className = 'text';
  setText(made.text, 'message removed');
}
