// One channel: how fast, what is said, who says it, and the messages themselves.

import * as api from './api.js';
import { Chart } from './chart.js';
import { element, paced, setText } from './dom.js';
import { Feed } from './feed.js';
import { agoSaid, clock, count, dayAndClock, harmless, sentence } from './format.js';
import { openLive } from './live.js';
import { Table } from './table.js';
import { changesOf, isFresh } from './viewers.js';

// step: seconds a point of the chart; every: how often the rankings are asked for again while something is said (ms).
// Long ranges change little and cost more.
export const ranges = {
  '15m': { label: '15 min', said: 'last 15 minutes', seconds: 900, step: 60, every: 2000 },
  '1h': { label: '1 h', said: 'last hour', seconds: 3600, step: 60, every: 2000 },
  '6h': { label: '6 h', said: 'last 6 hours', seconds: 21600, step: 60, every: 10000 },
  '24h': { label: '24 h', said: 'last 24 hours', seconds: 86400, step: 300, every: 30000 },
  '7d': { label: '7 d', said: 'last 7 days', seconds: 604800, step: 1800, every: 120000 },
};
export const kinds = {
  all: 'All',
  word: 'Words',
  emote: 'Emotes',
  emoji: 'Emoji',
  mention: 'Mentions',
  link: 'Links',
  command: 'Commands',
};
const shortestS = 300; // that a chart shows
const ranked = 50; // rows of a ranking
const fed = 100; // messages shown at first
const secondLookMs = 2000; // for messages written before live events began and readable only after
const moderationMs = 15000; // between looks at what was removed
const viewersMs = 30000; // between looks at how many watch
const marked = 500; // changes marked in the chart
const changesShown = 3;
const patienceMs = 1000; // for the first event, before asking without it

export class Channel {
  constructor(state, { onState, link }) {
    this.state = state;
    this.link = link;
    this.minutes = new Map(); // Unix seconds -> row
    this.viewers = []; // rows
    this.changed = []; // what, in the streams
    this.rankedAt = -Infinity;
    this.requests = {};
    this.build();
    this.paint = paced(1000, () => this.refresh());
    this.onState = onState;
    this.listen(state.channel);
    this.tick = setInterval(() => this.paint(), 5000); // the range ends now
    this.moderation = setInterval(() => this.markRemoved(), moderationMs);
    this.watching = setInterval(() => this.askViewers(), viewersMs);
    this.retry = setTimeout(() => this.load(), patienceMs);
  }

  // To the channel's events; or, while the server does not know it, to those of all channels, in which it would appear.
  listen(channel) {
    this.live?.close();
    this.listensTo = channel;
    this.live = openLive(
      channel,
      {
        hello: () => this.load(), // after it, so that nothing falls between the answer and the events
        channels: ({ rows }) => this.takeChannels(rows),
        rate: ({ rows }) => {
          this.takeMinutes(rows);
          this.rankSoon();
        },
        words: () => this.rankSoon(),
        users: () => this.rankSoon(),
        message: (row) => this.feed.add(row),
        skipped: ({ count: number }) => this.feed.skip(number),
      },
      this.onState,
    );
  }

  build() {
    const { channel } = this.state;
    this.title = element('h1', { tabindex: '-1' }, element('bdi', {}, channel));
    this.figures = {};
    this.totals = element('dl', { class: 'figures' });
    for (const [name, label] of [
      ['messages_per_minute', 'messages/min'],
      ['words_per_minute', 'words/min'],
      ['chatters', 'chatters'],
      ['viewers', 'viewers'],
      ['last_seen', 'last message'],
    ]) {
      this.figures[name] = element('dd', {}, '–');
      this.totals.append(element('div', { class: `figure-${name}` }, element('dt', {}, label), this.figures[name]));
    }
    this.rangeLinks = this.switcher('Range', ranges, 'range', (range) => range.label);
    this.kindLinks = this.switcher('Kind of words', kinds, 'kind', (label) => label);
    this.chart = new Chart();
    this.feed = new Feed();
    this.note = element('p', { class: 'note', role: 'status' });
    this.words = this.ranking(
      'Most frequent words',
      [
        { name: 'rank', label: '#', number: true, text: (row) => String(row.rank) },
        {
          name: 'word',
          label: 'Word',
          heads: true,
          hint: true,
          text: (row) => harmless(row.word),
          share: (row) => row.count / this.words.most,
        },
        { name: 'kind', label: 'Kind', text: (row) => row.kind },
        { name: 'count', label: 'Count', number: true, text: (row) => count(row.count) },
      ],
      (row) => `${row.kind} ${row.word}`,
      'count',
    );
    this.users = this.ranking(
      'Most active users',
      [
        { name: 'rank', label: '#', number: true, text: (row) => String(row.rank) },
        {
          name: 'user',
          label: 'User',
          heads: true,
          hint: true,
          text: (row) => harmless(row.user_name || row.user_id),
          share: (row) => row.messages / this.users.most,
        },
        { name: 'messages', label: 'Messages', number: true, text: (row) => count(row.messages) },
        { name: 'words', label: 'Words', number: true, text: (row) => count(row.words) },
      ],
      (row) => row.user_id,
      'messages',
    );
    this.empty = element('div', { class: 'empty', hidden: true });
    this.stream = element('p', { class: 'stream note' });
    this.changes = element('ol', { class: 'changes note', 'aria-label': 'Changes of the stream' });
    this.chartPanel = element(
      'section',
      { class: 'panel timeline', 'aria-label': 'Words a minute' },
      this.chart.node,
      element('div', { class: 'streams' }, this.stream, this.changes),
    );
    this.content = element(
      'div',
      { class: 'content' },
      this.chartPanel,
      this.panel('words', 'Most frequent words', this.words, this.kindLinks.node),
      this.panel('users', 'Most active users', this.users),
      this.feed.node,
    );
    this.node = element(
      'div',
      { class: 'view channel' },
      element(
        'div',
        { class: 'titlebar' },
        element(
          'a',
          { class: 'back', href: '#/', title: 'All channels' },
          element('span', { 'aria-hidden': 'true' }, '‹'),
          element('span', { class: 'unseen' }, 'All channels'),
        ),
        this.title,
        this.totals,
        element('div', { class: 'tools' }, this.rangeLinks.node),
      ),
      this.note,
      this.empty,
      this.content,
    );
    this.markLinks();
  }

  // Links that change one part of the address: state is in the URL, and back and forward work.
  switcher(label, choices, name, text) {
    const node = element('nav', { class: `switch switch-${name}`, 'aria-label': label });
    const links = Object.entries(choices).map(([value, choice]) => {
      const link = element('a', {}, text(choice));
      node.append(link);
      return { value, link };
    });
    return { node, name, links };
  }

  markLinks() {
    for (const { name, links } of [this.rangeLinks, this.kindLinks]) {
      for (const { value, link } of links) {
        link.href = this.link({ ...this.state, [name]: value });
        if (this.state[name] === value) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
      }
    }
    this.words.table.node.classList.toggle('one-kind', this.state.kind !== 'all');
  }

  ranking(caption, columns, key, measure) {
    return {
      table: new Table({ caption, columns, key }),
      most: 1,
      measure,
      hours: element('span', { class: 'note' }),
      nothing: element('p', { class: 'nothing', hidden: true }),
    };
  }

  panel(name, title, ranking, tools) {
    return element(
      'section',
      { class: `panel ranking ${name}`, 'aria-labelledby': `${name}-title` },
      element('div', { class: 'head' }, element('h2', { id: `${name}-title` }, title), ranking.hours),
      tools,
      element(
        'div',
        { class: 'scroller', tabindex: '0', role: 'group', 'aria-labelledby': `${name}-title` },
        ranking.nothing,
        ranking.table.node,
      ),
    );
  }

  close() {
    this.live.close();
    for (const request of Object.values(this.requests)) request.abort();
    clearInterval(this.tick);
    clearInterval(this.moderation);
    clearInterval(this.watching);
    clearTimeout(this.secondLook);
    clearTimeout(this.retry);
    clearTimeout(this.nextRanking);
    this.paint.stop();
    this.words.table.stop();
    this.users.table.stop();
    this.chart.close();
    this.feed.close();
  }

  update(state) {
    const before = this.state;
    this.state = state;
    this.markLinks();
    if (before.range !== state.range) {
      this.minutes.clear();
      this.viewers = [];
      this.changed = [];
      this.complete = false;
      this.load();
    } else if (before.kind !== state.kind) {
      this.rank();
    }
  }

  // Everything, from the start: at first, when the range changes, and after the connection was lost.
  async load() {
    clearTimeout(this.retry);
    const { channel, range } = this.state;
    if (this.failure?.status === 404) return; // takeChannels() will tell
    this.feed.expect();
    this.fillFeed();
    clearTimeout(this.secondLook);
    this.secondLook = setTimeout(() => this.fillFeed(), secondLookMs);
    this.rank();
    this.askViewers();
    const rate = await this.ask('rate', (signal) => api.rate(channel, `-${range}`, signal));
    if (!rate) return; // replaced by a newer question, or closed
    if (rate.failure) {
      this.failure = rate.failure;
      if (rate.failure.status === 404) {
        this.live.close();
        this.retry = setTimeout(() => this.listen(null), patienceMs);
      } else {
        this.retry = setTimeout(() => this.load(), 3000);
      }
      this.paint();
      return;
    }
    this.failure = null;
    this.complete = true;
    this.takeMinutes(rate.rows);
  }

  // How many watch is told each minute, so it is asked for now and then; where nothing is told, the server may know why.
  async askViewers() {
    if (document.hidden && this.complete) return;
    const { channel, range } = this.state;
    const [answer, changed] = await Promise.all([
      this.ask('viewers', (signal) => api.viewers(channel, `-${range}`, signal)),
      this.ask('streams', (signal) => api.streams(channel, `-${range}`, marked, signal)),
    ]);
    if (!answer?.rows || !changed?.rows) return;
    this.viewers = answer.rows;
    this.changed = changesOf(changed.rows);
    const last = answer.rows.at(-1);
    if (last && isFresh(last, api.serverTime() / 1000)) {
      this.noViewers = null;
    } else {
      const reason = await this.ask('health', api.noViewers);
      if (reason?.failure) return;
      this.noViewers = reason;
      // Where no samples come, their absence says nothing.
      if (reason && this.changed.at(-1)?.what === 'offline') this.changed.pop();
    }
    this.paint();
  }

  async fillFeed() {
    const answer = await this.askMessages('messages');
    if (answer) this.feed.fill(answer.rows ?? []);
  }

  askMessages(name) {
    return this.ask(name, (signal) => api.messages(this.state.channel, '-1h', fed, signal));
  }

  // Live events tell what is said, not what moderators remove of it later.
  async markRemoved() {
    if (document.hidden || !this.complete) return;
    const answer = await this.askMessages('removed');
    if (answer?.rows) this.feed.markRemoved(answer.rows);
  }

  // A question that replaces the one before of the same name. Null when it was itself replaced.
  async ask(name, question) {
    this.requests[name]?.abort();
    const request = (this.requests[name] = new AbortController());
    try {
      return await question(request.signal);
    } catch (error) {
      if (error.name === 'AbortError') return null;
      return { failure: error };
    }
  }

  async rank() {
    clearTimeout(this.nextRanking);
    this.nextRanking = 0;
    this.rankedAt = performance.now();
    const { channel, range, kind } = this.state;
    const [words, users] = await Promise.all([
      this.ask('words', (signal) => api.words(channel, `-${range}`, kind, ranked, signal)),
      this.ask('users', (signal) => api.users(channel, `-${range}`, ranked, signal)),
    ]);
    if (words?.rows)
      this.showRanking(this.words, words, kind === 'all' ? 'No words' : `No ${kinds[kind].toLowerCase()}`);
    if (users?.rows) this.showRanking(this.users, users, 'No users');
  }

  // Something was said: the rankings are asked for again, but not too often.
  rankSoon() {
    if (this.nextRanking) return;
    const wait = this.rankedAt + ranges[this.state.range].every - performance.now();
    this.nextRanking = setTimeout(() => this.rank(), Math.max(0, wait));
  }

  showRanking(ranking, answer, nothing) {
    ranking.most = Math.max(1, ...answer.rows.map((row) => row[ranking.measure]));
    ranking.table.node.hidden = answer.rows.length === 0;
    ranking.nothing.hidden = answer.rows.length > 0;
    setText(ranking.nothing, `${nothing} in the ${ranges[this.state.range].said}.`);
    // Words and users are kept by the hour, so the range is widened to whole hours: say which.
    const from = Date.parse(answer.from);
    setText(
      ranking.hours,
      Number.isNaN(from) ? '' : `since ${api.serverTime() - from > 86400000 ? dayAndClock(from) : clock(from)}`,
    );
    ranking.hours.title = answer.exact === false ? 'The hour in progress may lack rare entries' : '';
    ranking.table.show(answer.rows);
  }

  takeChannels(rows) {
    const row = rows.find((one) => one.channel === this.state.channel);
    if (!row) return;
    this.row = row;
    if (this.listensTo === null) {
      this.failure = null;
      this.listen(this.state.channel);
    }
    this.paint();
  }

  takeMinutes(rows) {
    for (const row of rows) this.minutes.set(Date.parse(row.time) / 1000, row);
    this.paint();
  }

  refresh() {
    for (const name of ['messages_per_minute', 'words_per_minute', 'chatters'])
      setText(this.figures[name], count(this.row?.[name]));
    setText(this.figures.last_seen, this.row ? agoSaid(Date.parse(this.row.last_seen), api.serverTime()) : '–');
    const to = api.serverTime() / 1000;
    const range = ranges[this.state.range];
    const from = to - range.seconds;
    let said = false;
    for (const minute of this.minutes.keys()) {
      if (minute < from - range.step) this.minutes.delete(minute);
      else said = true;
    }
    this.explain(said);
    this.showStream(to);
    if (this.chartPanel.hidden || !this.complete) return;
    // What lies before the channel was first seen is not worth the space.
    const seen = this.row ? Date.parse(this.row.first_seen) / 1000 : from;
    const first = Math.floor(Math.min(seen, to - shortestS) / range.step) * range.step;
    this.chart.show(this.minutes, {
      fromS: Math.max(from, first),
      toS: to,
      stepS: range.step,
      seenS: seen,
      viewers: this.viewers,
      changes: this.changed,
      now: this.row && {
        words: this.row.words_per_minute,
        messages: this.row.messages_per_minute,
        chatters: this.row.chatters,
      },
    });
  }

  // What is on, or why nothing is known of it; and what changed last.
  showStream(nowS) {
    const last = this.viewers.at(-1);
    const live = last !== undefined && isFresh(last, nowS);
    this.figures.viewers.parentNode.hidden = !live;
    setText(this.figures.viewers, live ? count(last.viewers) : '–');
    let text = '';
    if (live) text = [last.game, last.title].map(harmless).filter(Boolean).join(' · ');
    else if (this.noViewers) text = sentence(this.noViewers);
    else if (last) text = 'Offline';
    setText(this.stream, text);
    const changes = this.changed.slice(-changesShown).reverse();
    const shown = changes.map(({ s, text: what }) => `${this.state.range === '7d' ? dayAndClock(s * 1000) : clock(s * 1000)} ${what}`);
    if (shown.join('\n') === this.changesShown) return;
    this.changesShown = shown.join('\n');
    this.changes.replaceChildren(...shown.map((one) => element('li', {}, element('bdi', {}, one))));
  }

  explain(said) {
    const unknown = this.failure?.status === 404;
    const waiting = this.failure?.status === 503 && !this.complete;
    const lost = this.failure && !unknown && !waiting;
    setText(this.note, lost ? `${sentence(this.failure.message)} Trying again.` : '');
    let why = '';
    if (unknown) why = 'unknown';
    else if (waiting) why = 'waiting';
    else if (this.complete && !said) why = this.state.range;
    this.content.hidden = this.totals.hidden = this.rangeLinks.node.hidden = unknown || waiting;
    this.chartPanel.hidden = why !== '';
    this.empty.hidden = why === '';
    if (why === this.explained) return;
    this.explained = why;
    this.empty.replaceChildren();
    if (unknown) {
      this.empty.append(
        element('h2', {}, 'Nothing is known of this channel yet'),
        element('p', {}, 'A channel appears as soon as something is said in it. To listen to this one:'),
        element('pre', {}, element('code', {}, `hubbub run ${this.state.channel}`)),
        element('p', {}, element('a', { href: '#/' }, 'All channels')),
      );
    } else if (waiting) {
      this.empty.append(
        element('h2', {}, 'Nothing to show yet'),
        element('p', {}, sentence(this.failure.message)),
        element('p', {}, 'This page goes on by itself; there is no need to reload it.'),
      );
    } else if (why) {
      const longer = Object.keys(ranges)[Object.keys(ranges).indexOf(why) + 1];
      this.empty.append(
        element('h2', {}, `No messages in the ${ranges[why].said}`),
        element(
          'p',
          {},
          this.row ? `The last one came on ${dayAndClock(Date.parse(this.row.last_seen))}. ` : '',
          'New ones appear here as they come.',
        ),
      );
      if (longer)
        this.empty.append(
          element(
            'p',
            {},
            element('a', { href: this.link({ ...this.state, range: longer }) }, `Show the ${ranges[longer].said}`),
          ),
        );
    }
  }
}
