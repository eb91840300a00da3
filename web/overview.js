// All channels as rows: what is hot stands at the top.

import * as api from './api.js';
import { element, isPointedAt, paced, setText } from './dom.js';
import { ago, agoSaid, count, harmless, percent, sentence } from './format.js';
import { openLive } from './live.js';
import { makeSpark, paintSpark } from './spark.js';
import { Table } from './table.js';

const settleMs = 3000; // rows that change places every second cannot be read
const patienceMs = 1000; // for the first event, before asking without it

const compared = 4;

const compareLink = (channels) => `#/compare/${channels.map(encodeURIComponent).join(',')}`;
export const channelLink = (channel) => `#/c/${encodeURIComponent(channel)}`;

export class Overview {
  constructor(state, { onState, replaceState }) {
    this.state = state;
    this.replaceState = replaceState;
    this.channels = new Map();
    this.order = [];
    this.orderedAt = -Infinity;
    this.busiest = 1;
    this.table = new Table({
      caption: 'Channels',
      key: (row) => row.channel,
      onSort: (column) => this.sortBy(column),
      columns: [
        {
          name: 'channel',
          label: 'Channel',
          heads: true,
          sortable: true,
          text: (row) => harmless(row.channel),
          link: (row) => channelLink(row.channel),
          share: (row) => row.messages_per_minute / this.busiest,
          badge: (row) => momentBadge(row.moment),
        },
        {
          name: 'messages_per_minute',
          label: 'Messages/min',
          number: true,
          sortable: true,
          descending: true,
          text: (row) => count(row.messages_per_minute),
        },
        {
          name: 'spark',
          label: '30 minutes',
          title: 'Messages of each of the last 30 minutes',
          make: makeSpark,
          paint: (node, row) => paintSpark(node, row.spark),
        },
        {
          name: 'words_per_minute',
          label: 'Words/min',
          number: true,
          sortable: true,
          descending: true,
          text: (row) => count(row.words_per_minute),
        },
        {
          name: 'chatters',
          label: 'Chatters',
          number: true,
          sortable: true,
          descending: true,
          text: (row) => count(row.chatters),
        },
        {
          name: 'viewers',
          label: 'Viewers',
          number: true,
          sortable: true,
          descending: true,
          text: (row) => count(row.viewers),
        },
        {
          name: 'participation',
          label: 'Take part',
          title: 'Chatters of the last 10 minutes for each viewer',
          number: true,
          sortable: true,
          descending: true,
          text: (row) => percent(row.participation),
        },
        {
          name: 'top_emote',
          label: 'Top emote',
          sortable: true,
          hint: true,
          text: (row) => harmless(row.top_emote ?? ''),
        },
        {
          name: 'last_seen',
          label: 'Last message',
          number: true,
          sortable: true,
          descending: true,
          text: (row) => ago(Date.parse(row.last_seen), api.serverTime()),
        },
      ],
    });
    this.build();
    this.paint = paced(1000, () => this.refresh());
    this.live = openLive(
      null,
      {
        hello: () => this.load(), // after it, so that nothing falls between the answer and the events
        channels: ({ rows }) => this.merge(rows),
      },
      onState,
    );
    this.tick = setInterval(() => this.paint(), 5000); // "last message" ages
    this.retry = setTimeout(() => this.load(), patienceMs);
  }

  build() {
    this.title = element('h1', { tabindex: '-1' }, 'Channels');
    this.totals = element('dl', { class: 'figures' });
    this.figures = {};
    for (const [name, label] of [
      ['channels', 'channels'],
      ['messages', 'messages/min'],
      ['words', 'words/min'],
    ]) {
      this.figures[name] = element('dd', {}, '–');
      this.totals.append(element('div', {}, element('dt', {}, label), this.figures[name]));
    }
    this.filter = element('input', {
      type: 'search',
      id: 'filter',
      placeholder: 'Filter',
      autocomplete: 'off',
      spellcheck: 'false',
      autocapitalize: 'none',
      'aria-label': 'Filter channels by name',
      'aria-keyshortcuts': '/',
      value: this.state.filter,
      oninput: () => this.setState({ filter: this.filter.value.trim().toLowerCase() }),
      onkeydown: (event) => {
        if (event.key !== 'Escape') return;
        this.filter.value = '';
        this.setState({ filter: '' });
      },
    });
    this.compare = element('a', { class: 'quiet', title: 'The first four of this list on one chart' }, 'Compare');
    this.note = element('p', { class: 'note', role: 'status' });
    this.holder = element('div', { class: 'panel channels' }, this.table.node);
    this.empty = element('div', { class: 'empty', hidden: true });
    this.node = element(
      'div',
      { class: 'view overview' },
      element('div', { class: 'titlebar' }, this.title, this.totals, element('div', { class: 'tools' }, this.compare, this.filter)),
      this.note,
      this.holder,
      this.empty,
    );
    this.holder.hidden = true;
    this.shortcut = (event) => {
      if (event.key !== '/' || event.target.closest('input') || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.filter.focus();
    };
    document.addEventListener('keydown', this.shortcut);
  }

  close() {
    this.live.close();
    this.request?.abort();
    clearInterval(this.tick);
    clearTimeout(this.retry);
    document.removeEventListener('keydown', this.shortcut);
    this.paint.stop();
    this.table.stop();
  }

  // The address changed while this view is shown (back, forward, a link).
  update(state) {
    this.state = state;
    if (this.filter.value.trim().toLowerCase() !== state.filter) this.filter.value = state.filter;
    this.orderedAt = -Infinity;
    this.refresh();
  }

  setState(change) {
    this.state = { ...this.state, ...change };
    this.replaceState(this.state);
    this.orderedAt = -Infinity;
    this.refresh();
    this.table.paint();
  }

  sortBy(column) {
    const ascending = this.state.sort === column.name ? !this.state.ascending : !column.descending;
    this.setState({ sort: column.name, ascending });
  }

  async load() {
    this.request?.abort();
    clearTimeout(this.retry);
    this.request = new AbortController();
    try {
      const { rows } = await api.channels(this.request.signal);
      this.channels.clear();
      this.loaded = true;
      this.failure = null;
      this.merge(rows);
    } catch (error) {
      if (error.name === 'AbortError') return;
      this.failure = error;
      this.retry = setTimeout(() => this.load(), 3000);
      this.paint();
    }
  }

  merge(rows) {
    for (const row of rows) this.channels.set(row.channel, row);
    this.paint();
  }

  refresh() {
    const { filter, sort, ascending } = this.state;
    const now = performance.now();
    const reading = isPointedAt(this.table.body) || this.table.body.contains(document.activeElement);
    if (now - this.orderedAt >= settleMs && !(reading && this.orderedAt > 0)) {
      this.orderedAt = now;
      this.order = [...this.channels.keys()].filter((name) => name.includes(filter));
      this.order.sort(comparison(this.channels, sort, ascending));
    } else {
      const placed = new Set(this.order);
      for (const name of this.channels.keys()) if (!placed.has(name) && name.includes(filter)) this.order.push(name);
    }
    const rows = this.order.map((name) => this.channels.get(name)).filter(Boolean);
    let messages = 0;
    let words = 0;
    this.busiest = 1;
    for (const row of this.channels.values()) {
      messages += row.messages_per_minute;
      words += row.words_per_minute;
      this.busiest = Math.max(this.busiest, row.messages_per_minute);
    }
    setText(this.figures.channels, this.loaded ? count(this.channels.size) : '–');
    setText(this.figures.messages, this.loaded ? count(messages) : '–');
    setText(this.figures.words, this.loaded ? count(words) : '–');
    setText(
      this.note,
      this.failure && !this.channels.size && this.failure.status !== 503
        ? `${sentence(this.failure.message)} Trying again.`
        : filter && this.channels.size
          ? `${count(rows.length)} of ${count(this.channels.size)} channels match “${filter}”`
          : '',
    );
    this.compare.hidden = rows.length === 0;
    this.compare.href = compareLink(this.order.slice(0, compared));
    this.holder.hidden = rows.length === 0;
    for (const name of ['viewers', 'participation'])
      this.table.node.classList.toggle(
        `knows-${name}`,
        rows.some((row) => row[name] != null),
      );
    this.table.setSorted(sort, ascending);
    this.table.show(rows);
    this.explain();
  }

  // An empty page says what to do.
  explain() {
    const waiting = this.failure?.status === 503 && this.channels.size === 0;
    const why = waiting ? sentence(this.failure.message) : this.loaded && this.channels.size === 0 ? 'none' : '';
    this.totals.hidden = this.filter.hidden = why !== '';
    this.empty.hidden = why === '';
    if (why === this.explained) return;
    this.explained = why;
    this.empty.replaceChildren(
      element('h2', {}, 'No channels yet'),
      waiting ? element('p', {}, why) : '',
      element(
        'p',
        {},
        'A channel appears here as soon as something is said in it. Start hubbub with the channels that you want to listen to:',
      ),
      element('pre', {}, element('code', {}, 'hubbub run xqc zackrawrr')),
      element('p', {}, 'or look at simulated chat first:'),
      element('pre', {}, element('code', {}, 'hubbub run --demo')),
      element('p', {}, 'This page goes on by itself; there is no need to reload it.'),
    );
  }
}

// What just stood out; the server names moments of the last ten minutes.
function momentBadge(moment) {
  const ms = Date.parse(moment ?? '');
  if (Number.isNaN(ms)) return null;
  const age = ago(ms, api.serverTime());
  return { text: `★ ${age}`, title: `Chat stood out: a moment ${agoSaid(ms, api.serverTime())}` };
}

function comparison(channels, column, ascending) {
  const sign = ascending ? 1 : -1;
  return (a, b) => {
    const nothing = ['channel', 'top_emote'].includes(column) ? '' : -1;
    const x = channels.get(a)[column] ?? nothing;
    const y = channels.get(b)[column] ?? nothing;
    if (x < y) return -sign;
    if (x > y) return sign;
    return a < b ? -1 : 1;
  };
}
