// Up to four channels on one chart.

import * as api from './api.js';
import { help, moveKeys, moves, span, timeAxis, valueAxis } from './chart.js';
import { backLink, element, paced, setText } from './dom.js';
import { clock, count, dayAndClock, sentence } from './format.js';
import { openLive } from './live.js';
import { pannable } from './pan.js';
import { RangePicker } from './picker.js';
import { moved, picked, ranges, spanOf } from './ranges.js';
import { levelsOf } from './viewers.js';

export const most = 4;
export const measures = { messages: 'Messages', words: 'Words', chatters: 'Chatters', viewers: 'Viewers' };
const minuteS = 60;
const everyMs = 5000; // between questions at least

// A channel's column: for each time what a minute had there, or null where nothing can be known.
export function columnOf(rows, measure, times, stepS) {
  if (measure === 'viewers') return levelsOf(rows, times, stepS, stepS);
  const byTime = new Map(rows.map((row) => [Date.parse(row.time) / 1000, row]));
  const first = rows.length ? Date.parse(rows[0].time) / 1000 : Infinity;
  return times.map((time) => {
    if (time < first) return null;
    const value = byTime.get(time)?.[measure] ?? 0;
    return measure === 'chatters' ? value : (value * minuteS) / stepS;
  });
}

// Why all columns are empty; or nothing, where they are not. answers: rows of each channel; span: of ranges.js
export function whyNothing(answers, columns, measure, { said, stepS, toS }) {
  if (columns.some((column) => column.some((value) => value !== null))) return '';
  const last = Math.max(...answers.map((rows) => (rows.length ? Date.parse(rows.at(-1).time) / 1000 : -Infinity)));
  if (last + stepS > toS) {
    const step = stepS === minuteS ? 'minute' : stepS === 86400 ? 'day' : `step of ${span(stepS)}`;
    return `The first whole ${step} is not over yet.`;
  }
  return measure === 'viewers' ? `No viewers are known in the ${said}.` : `No messages in the ${said}.`;
}

export class Compare {
  constructor(state, { onState, link, go }) {
    this.state = state;
    this.link = link;
    this.go = go;
    this.rows = new Map(); // channel -> rows, or an error
    this.build();
    this.paint = paced(1000, () => this.refresh());
    this.live = openLive(
      null,
      {
        hello: () => this.load(),
        channels: ({ rows }) => {
          for (const { channel } of rows) this.know(channel);
          this.loadSoon();
        },
      },
      onState,
    );
    this.resize = new ResizeObserver(() => this.rebuild());
    this.resize.observe(this.canvas);
    this.recolour = () => this.rebuild();
    addEventListener('themechange', this.recolour);
    this.update(state);
  }

  build() {
    this.title = element('h1', { tabindex: '-1' }, 'Compare');
    this.measureLinks = element('nav', { class: 'switch', 'aria-label': 'Measure' });
    this.rangeLinks = element('nav', { class: 'switch switch-range', 'aria-label': 'Range' });
    this.picker = new RangePicker((from, to) => this.move(from, to));
    this.known = element('datalist', { id: 'known-channels' });
    this.input = element('input', {
      type: 'search',
      list: 'known-channels',
      placeholder: 'Add a channel',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      'aria-label': 'Add a channel',
      maxlength: '50',
    });
    this.form = element(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          const name = this.input.value.trim().replace(/^#/, '').toLowerCase();
          if (!name) return;
          this.input.value = '';
          this.go({ ...this.state, channels: [...new Set([...this.state.channels, name])].slice(0, most) });
        },
      },
      this.input,
      this.known,
    );
    this.legend = element('ul', { class: 'legend compared', 'aria-label': 'Channels' });
    this.moment = element('span', { class: 'moment' });
    this.note = element('p', { class: 'note', role: 'status' });
    this.canvas = element('div', {
      class: 'canvas tall',
      role: 'img',
      tabindex: '0',
      'aria-label': 'Channels compared',
      'aria-keyshortcuts': 'ArrowLeft ArrowRight + -',
      'aria-description': help,
      onkeydown: (event) => this.key(event),
    });
    this.pan = pannable(this.canvas, {
      plot: () => this.plot,
      range: () => this.span(),
      onMove: (from, to) => this.move(from, to),
      onHold: (held) => {
        this.held = held;
        if (!held && this.missed) this.paint();
      },
    });
    this.node = element(
      'div',
      { class: 'view compare' },
      element(
        'div',
        { class: 'titlebar' },
        backLink(),
        this.title,
        this.form,
        element('div', { class: 'tools' }, this.measureLinks, this.rangeLinks),
      ),
      this.note,
      element(
        'section',
        { class: 'panel timeline', 'aria-label': 'Chart' },
        element('div', { class: 'legend' }, this.legend, this.moment),
        this.canvas,
      ),
    );
  }

  close() {
    this.pan.close();
    this.live.close();
    this.request?.abort();
    clearTimeout(this.next);
    this.paint.stop();
    this.resize.disconnect();
    removeEventListener('themechange', this.recolour);
    this.plot?.destroy();
  }

  know(channel) {
    this.names ??= new Set();
    if (this.names.has(channel)) return;
    this.names.add(channel);
    this.known.append(element('option', { value: channel }));
  }

  key(event) {
    if (!(event.key in moveKeys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.move(...moves[moveKeys[event.key]](this.span()));
  }

  span() {
    return spanOf(this.state, api.serverTime() / 1000);
  }

  move(from, to) {
    const next = moved(this.state, from, to, api.serverTime() / 1000);
    if (next) this.go(next);
    return next !== null;
  }

  update(state) {
    this.state = state;
    this.markLinks();
    this.form.hidden = state.channels.length >= most;
    this.rows.clear();
    this.load();
  }

  markLinks() {
    const links = (choices, name, labelOf, more = {}) =>
      Object.entries(choices).map(([value, choice]) =>
        element(
          'a',
          {
            href: this.link({ ...this.state, [name]: value, ...more }),
            'aria-current': this.state[name] === value ? 'true' : null,
          },
          labelOf(choice),
        ),
      );
    this.measureLinks.replaceChildren(...links(measures, 'measure', (label) => label));
    this.rangeLinks.replaceChildren(
      ...links(ranges, 'range', ({ label }) => label, { from: null, to: null }),
      this.picker.node,
    );
    this.picker.show(this.span(), this.state.range === picked);
    this.values = this.state.channels.map(() => element('span', { class: 'value' }));
    this.legend.replaceChildren(
      ...this.state.channels.map((channel, i) =>
        element(
          'li',
          {},
          element('span', { class: `swatch hue-${i}`, 'aria-hidden': 'true' }),
          element('a', { href: `#/c/${encodeURIComponent(channel)}` }, element('bdi', {}, channel)),
          this.values[i],
          element(
            'a',
            {
              class: 'remove',
              href: this.link({ ...this.state, channels: this.state.channels.filter((name) => name !== channel) }),
              'aria-label': `Remove ${channel}`,
            },
            '×',
          ),
        ),
      ),
    );
  }

  loadSoon() {
    const { live, every } = this.span();
    if (this.next || !live) return;
    this.next = setTimeout(() => this.load(), Math.max(everyMs, every));
  }

  async load() {
    clearTimeout(this.next);
    this.next = 0;
    this.request?.abort();
    const { signal } = (this.request = new AbortController());
    const { channels, measure } = this.state;
    const { query, stepS } = this.span();
    const ask = measure === 'viewers' ? api.viewers : api.rate;
    const answers = await Promise.all(
      channels.map((channel) => ask(channel, query, stepS, signal).catch((error) => error)),
    );
    if (signal.aborted) return;
    channels.forEach((channel, i) => this.rows.set(channel, answers[i].rows ?? answers[i]));
    this.paint();
    if (answers.some(({ status }) => status === 0 || status === 503)) this.loadSoon();
  }

  refresh() {
    this.missed = this.held; // who holds the chart would lose what is marked, or moved
    if (this.held) return;
    const { channels, measure } = this.state;
    const { fromS, toS, stepS } = this.span();
    const times = [];
    // The step that goes on is not comparable with those that are over.
    for (let time = Math.ceil(fromS / stepS) * stepS; time + stepS <= toS; time += stepS) times.push(time);
    const columns = channels.map((name) => {
      const rows = this.rows.get(name);
      return Array.isArray(rows) ? columnOf(rows, measure, times, stepS) : times.map(() => null);
    });
    this.data = [times, ...columns];
    this.explain(columns);
    if (this.plot && this.plot.series.length === this.data.length) this.plot.setData(this.data);
    else this.rebuild();
    this.readOut();
  }

  // What is missing. Without anything to draw there is no chart, either.
  explain(columns) {
    const { channels, measure } = this.state;
    const answers = channels.map((name) => this.rows.get(name));
    const failures = answers.filter((answer) => answer instanceof Error);
    const known = answers.filter(Array.isArray);
    const why = known.length ? whyNothing(known, columns, measure, this.span()) : '';
    setText(
      this.note,
      channels.length === 0
        ? 'Add up to four channels to see them on one chart.'
        : [...new Set(failures.map(({ message }) => sentence(message))), why].filter(Boolean).join(' '),
    );
    this.canvas.hidden = why !== '';
  }

  rebuild() {
    const width = Math.floor(this.canvas.clientWidth);
    const height = Math.floor(this.canvas.clientHeight);
    if (!this.data || width === 0) return;
    this.plot?.destroy();
    this.plot = null;
    if (this.data.length === 1 || this.data[0].length === 0) return;
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.plot = new uPlot(
      {
        width,
        height,
        padding: [8, 20, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
        scales: { x: { time: true }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 10] } },
        axes: [timeAxis(style), valueAxis(style)],
        series: [
          {},
          ...this.state.channels.map((name, i) => ({ label: name, stroke: colour(`--hue-${i}`), width: 1.75, points: { show: false } })),
        ],
        hooks: {
          setCursor: [() => this.readOut()],
          setSelect: [
            (plot) => {
              const { left, width: wide } = plot.select;
              if (wide >= 5) this.move(plot.posToVal(left, 'x'), plot.posToVal(left + wide, 'x'));
            },
          ],
        },
      },
      this.data,
      this.canvas,
    );
  }

  readOut() {
    const [times] = this.data;
    const i = this.plot?.cursor.idx ?? times.length - 1;
    const { fromS, toS } = this.span();
    this.values.forEach((value, c) => setText(value, count(this.data[c + 1]?.[i])));
    const ms = times[i] * 1000;
    setText(
      this.moment,
      i >= 0 && !this.canvas.hidden ? `${this.state.measure === 'viewers' ? 'at' : 'a minute at'} ${toS - fromS > 86400 ? dayAndClock(ms) : clock(ms)}` : '',
    );
    this.canvas.setAttribute(
      'aria-label',
      `${measures[this.state.measure]}: ${this.state.channels.map((name, c) => `${name} ${count(this.data[c + 1]?.[i])}`).join(', ')}.`,
    );
  }
}
