// One channel: how fast, what is said, who says it, and the messages themselves.

import * as api from './api.js';
import { before, changeKey, changes } from './change.js';
import { Chart, moves } from './chart.js';
import { backLink, element, paced, setText } from './dom.js';
import { addressOf, makeEmoteSwitch, makeIcon } from './emotes.js';
import { Engagement } from './engagement.js';
import { Feed } from './feed.js';
import { agoSaid, clock, count, dayAndClock, harmless, sentence } from './format.js';
import { openLive } from './live.js';
import { Moments, momentsOf } from './moments.js';
import { RangePicker } from './picker.js';
import { moved, picked, ranges, shortestS, spanOf } from './ranges.js';
import { Search, isSearch } from './search.js';
import { Table } from './table.js';
import { changesOf, isFresh } from './viewers.js';

export const kinds = {
  all: 'All',
  word: 'Words',
  emote: 'Emotes',
  emoji: 'Emoji',
  mention: 'Mentions',
  link: 'Links',
  command: 'Commands',
};
const ranked = 50; // rows of a ranking
const fed = 100; // messages shown at first
const secondLookMs = 2000; // for messages written before live events began and readable only after
const moderationMs = 15000; // between looks at what was removed
const viewersMs = 30000; // between looks at how many watch, and take part
const latestQuery = '-5m'; // in which the newest viewer sample is, if the channel is live
const minuteS = 60;
const hourMinutes = 60; // that engagement is told of
const participationS = 86400; // the longest range with a line of it, which has a row a minute
const momentsAsked = 1000;
const momentsShown = 30; // the best
const compared = 500; // words of the time before, to compare with
const marked = 500; // changes marked in the chart
const changesShown = 3;
const patienceMs = 1000; // for the first event, before asking without it

export class Channel {
  constructor(state, { onState, link, go }) {
    this.state = state;
    this.link = link;
    this.go = go;
    this.minutes = new Map(); // Unix seconds -> row
    this.viewers = []; // rows
    this.changed = []; // what, in the streams
    this.moments = [];
    this.participation = []; // rows
    this.rankedAt = -Infinity;
    this.requests = {};
    this.build();
    this.paint = paced(1000, () => this.refresh());
    this.onState = onState;
    this.listen(state.channel);
    this.tick = setInterval(() => this.paint(), 5000); // the range ends now
    this.moderation = setInterval(() => this.markRemoved(), moderationMs);
    this.viewersTick = setInterval(() => this.askViewers(), viewersMs);
    this.retry = setTimeout(() => this.load(), patienceMs);
    this.showEmotes = () => this.words.table.paint();
    addEventListener('emoteschange', this.showEmotes);
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
          if (this.span().live && this.span().stepS === minuteS) this.takeMinutes(rows);
          else this.rateSoon();
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
    this.picker = new RangePicker((from, to) => this.move(from, to));
    this.rangeLinks.node.append(this.picker.node);
    this.kindLinks = this.switcher('Kind of words', kinds, 'kind', (label) => label);
    this.chart = new Chart({
      onSelect: (from, to) => this.move(from, to),
      onMove: (name) => this.move(...moves[name](this.span())),
      onToggle: () => this.askParticipation(),
    });
    this.momentList = new Moments(({ s }) => this.link({ ...this.state, find: null, user: null, at: s }));
    this.engagement = new Engagement();
    this.search = new Search((wanted) => this.go({ ...this.state, ...wanted }));
    this.feed = new Feed((open) => this.openSearch(open));
    this.feed.scroller.before(this.search.form);
    this.feed.scroller.after(this.search.node);
    this.compare = element('a', { class: 'quiet', title: 'This channel and others on one chart' }, 'Compare');
    this.emotes = makeEmoteSwitch();
    this.bots = element('a', { class: 'quiet', title: 'Well-known bots are left out unless this is on' }, 'Bots');
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
          icon: (row) => (row.kind === 'emote' ? addressOf(row.word) : null),
          makeIcon: (row) => makeIcon(row.word),
          share: (row) => row.count / this.words.most,
        },
        { name: 'kind', label: 'Kind', text: (row) => row.kind },
        { name: 'count', label: 'Count', number: true, text: (row) => count(row.count) },
        {
          name: 'change',
          label: 'Change',
          title: 'How many times as often as in as long a time just before',
          number: true,
          text: (row) => this.wordChanges?.get(changeKey(row)) ?? '',
        },
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
      this.momentList.node,
      element('div', { class: 'streams' }, this.stream, this.changes),
      this.engagement.node,
    );
    this.content = element(
      'div',
      { class: 'content' },
      this.chartPanel,
      this.panel('words', 'Most frequent words', this.words, this.kindLinks.node),
      this.panel('users', 'Most active users', this.users, null, this.bots),
      this.feed.node,
    );
    this.node = element(
      'div',
      { class: 'view channel' },
      element(
        'div',
        { class: 'titlebar' },
        backLink(),
        this.title,
        this.totals,
        element('div', { class: 'tools' }, this.compare, this.emotes, this.rangeLinks.node),
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
        link.href = this.link({ ...this.state, [name]: value, ...(name === 'range' ? { from: null, to: null } : {}) });
        if (this.state[name] === value) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
      }
    }
    this.words.table.node.classList.toggle('one-kind', this.state.kind !== 'all');
    this.bots.href = this.link({ ...this.state, bots: !this.state.bots });
    if (this.state.bots) this.bots.setAttribute('aria-current', 'true');
    else this.bots.removeAttribute('aria-current');
    this.compare.href = this.link({ ...this.state, view: 'compare', channels: [this.state.channel] });
    this.picker.show(this.span(), this.state.range === picked);
    this.showSearch();
  }

  span() {
    return spanOf(this.state, api.serverTime() / 1000);
  }

  // To another range: one that the chart, or the picker, asks for. False if it is shown already.
  move(from, to) {
    const next = moved(this.state, from, to, api.serverTime() / 1000);
    if (next) this.go(next);
    return next !== null;
  }

  openSearch(open) {
    this.search.form.hidden = !open;
    this.feed.find.setAttribute('aria-expanded', String(open));
    if (open) this.search.text.focus();
    else if (isSearch(this.state)) this.go({ ...this.state, find: null, user: null, at: null });
  }

  showSearch() {
    const { channel, find, user, at } = this.state;
    const searching = isSearch(this.state);
    this.search.show(channel, { find, user, at }, this.span());
    this.feed.scroller.hidden = this.feed.button.hidden = searching;
    if (searching) this.feed.find.setAttribute('aria-expanded', 'true');
    setText(this.feed.find, searching ? 'Back to live' : 'Search');
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

  panel(name, title, ranking, tools, button) {
    return element(
      'section',
      { class: `panel ranking ${name}`, 'aria-labelledby': `${name}-title` },
      element('div', { class: 'head' }, element('h2', { id: `${name}-title` }, title), ranking.hours, button),
      ...(tools ? [tools] : []),
      element(
        'div',
        { class: 'scroller', tabindex: '0', role: 'group', 'aria-labelledby': `${name}-title` },
        ranking.nothing,
        ranking.table.node,
      ),
    );
  }

  close() {
    removeEventListener('emoteschange', this.showEmotes);
    this.live.close();
    for (const request of Object.values(this.requests)) request.abort();
    clearInterval(this.tick);
    clearInterval(this.moderation);
    clearInterval(this.viewersTick);
    clearTimeout(this.secondLook);
    clearTimeout(this.retry);
    clearTimeout(this.nextRanking);
    clearTimeout(this.nextRate);
    this.search.close();
    this.paint.stop();
    this.words.table.stop();
    this.users.table.stop();
    this.chart.close();
    this.feed.close();
  }

  update(state) {
    const old = this.state;
    this.state = state;
    this.markLinks();
    if (['range', 'from', 'to'].some((name) => old[name] !== state[name])) {
      this.minutes.clear();
      this.viewers = [];
      this.changed = [];
      this.moments = [];
      this.participation = [];
      this.complete = false;
      this.load();
    } else if (old.kind !== state.kind || old.bots !== state.bots) {
      this.rank();
    }
  }

  // Everything, from the start: at first, when the range changes, and after the connection was lost.
  async load() {
    clearTimeout(this.retry);
    if (this.failure?.status === 404) return; // takeChannels() will tell
    this.feed.expect();
    this.fillFeed();
    clearTimeout(this.secondLook);
    this.secondLook = setTimeout(() => this.fillFeed(), secondLookMs);
    this.rank();
    this.askViewers();
    this.loadRate();
  }

  async loadRate() {
    clearTimeout(this.nextRate);
    this.nextRate = 0;
    this.ratedAt = performance.now();
    const { query, stepS } = this.span();
    const rate = await this.ask('rate', (signal) => api.rate(this.state.channel, query, stepS, signal));
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
    if (stepS > minuteS) this.minutes.clear();
    this.takeMinutes(rate.rows);
  }

  // Steps longer than a minute are not told as they grow: they are asked for again.
  rateSoon() {
    const { live, every } = this.span();
    if (this.nextRate || !live) return;
    this.nextRate = setTimeout(() => this.loadRate(), Math.max(0, this.ratedAt + every - performance.now()));
  }

  // How many watch is told each minute, so it is asked for now and then; where nothing is told, the server may know why.
  async askViewers() {
    if (document.hidden && this.complete) return;
    const { channel } = this.state;
    const { query, stepS } = this.span();
    this.askMoments();
    const [answer, latest, changed] = await Promise.all([
      this.ask('viewers', (signal) => api.viewers(channel, query, stepS, signal)),
      this.ask('latest', (signal) => api.viewers(channel, { from: latestQuery }, minuteS, signal)),
      this.ask('streams', (signal) => api.streams(channel, query, marked, signal)),
    ]);
    if (!answer?.rows || !changed?.rows || !latest?.rows) return;
    this.viewers = answer.rows;
    this.watching = latest.rows.at(-1);
    this.changed = changesOf(changed.rows);
    if (this.watching && isFresh(this.watching, api.serverTime() / 1000)) {
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

  // A server that does not know of moments, or of engagement, says nothing of them in the channel's row.
  async askMoments() {
    const { channel } = this.state;
    const { query, live, fromS, toS } = this.span();
    const hour = live ? { from: `-${Math.min(3600, Math.round(toS - fromS))}s` } : query;
    this.askParticipation();
    const [moments, engaged] = await Promise.all([
      this.knows('moment') ? this.ask('moments', (signal) => api.moments(channel, query, momentsAsked, signal)) : null,
      this.knows('participation')
        ? this.ask('engagement', (signal) => api.engagement(channel, hour, hourMinutes, signal))
        : null,
    ]);
    if (moments?.rows) this.moments = momentsOf(moments.rows, momentsShown);
    if (engaged?.rows) this.engagement.show(engaged.rows);
    this.paint();
  }

  knows(name) {
    return Boolean(this.row && name in this.row);
  }

  canParticipate() {
    const { fromS, toS } = this.span();
    return this.knows('participation') && toS - fromS <= participationS;
  }

  // Only while its line is shown.
  async askParticipation() {
    if (!this.canParticipate() || !this.chart.shows('participation')) return;
    const { query } = this.span();
    const asked = (signal) => api.engagement(this.state.channel, query, participationS / minuteS + 1, signal);
    const engaged = await this.ask('participation', asked);
    if (!engaged?.rows) return;
    this.participation = engaged.rows.filter(({ participation }) => participation != null);
    this.paint();
  }

  async fillFeed() {
    const answer = await this.askMessages('messages');
    if (answer) this.feed.fill(answer.rows ?? []);
  }

  askMessages(name) {
    return this.ask(name, (signal) => api.messages(this.state.channel, { from: '-1h' }, fed, signal));
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
    const { channel, kind, bots } = this.state;
    const { query } = this.span();
    const [words, users] = await Promise.all([
      this.ask('words', (signal) => api.words(channel, query, kind, ranked, signal)),
      this.askUsers(channel, query, bots),
    ]);
    if (words?.rows) {
      this.showRanking(this.words, words, kind === 'all' ? 'No words' : `No ${kinds[kind].toLowerCase()}`);
      this.compareWords(words);
    }
    if (users?.rows) this.showRanking(this.users, users, 'No users');
  }

  // A server that leaves no bots out does not know the question.
  async askUsers(channel, query, bots) {
    const users = await this.ask('users', (signal) => api.users(channel, query, bots, ranked, signal));
    if (!bots || users?.failure?.status !== 400) return users;
    return this.ask('users', (signal) => api.users(channel, query, false, ranked, signal));
  }

  // The time before does not change while the range lasts: it is asked for once.
  async compareWords(answer) {
    const { channel, kind } = this.state;
    const query = before(answer);
    const asked = JSON.stringify([channel, kind, query]);
    if (asked !== this.comparedWith) {
      const old = await this.ask('before', (signal) => api.words(channel, query, kind, compared, signal));
      if (!old?.rows) return;
      this.comparedWith = asked;
      this.wordsBefore = old;
    }
    this.wordChanges = changes(answer, this.wordsBefore, compared, api.serverTime());
    this.words.table.node.classList.toggle('with-change', this.wordChanges.size > 0);
    this.words.table.show(answer.rows);
  }

  // Something was said: the rankings are asked for again, but not too often.
  rankSoon() {
    const { live, every } = this.span();
    if (this.nextRanking || !live) return;
    const wait = this.rankedAt + every - performance.now();
    this.nextRanking = setTimeout(() => this.rank(), Math.max(0, wait));
  }

  showRanking(ranking, answer, nothing) {
    ranking.most = Math.max(1, ...answer.rows.map((row) => row[ranking.measure]));
    ranking.table.node.hidden = answer.rows.length === 0;
    ranking.nothing.hidden = answer.rows.length > 0;
    setText(ranking.nothing, `${nothing} in the ${this.span().said}.`);
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
    const first = !this.row;
    this.row = row;
    if (first) this.askMoments();
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
    const { fromS: from, toS: to, live, stepS } = this.span();
    let said = false;
    for (const minute of this.minutes.keys()) {
      if (minute < from - stepS) this.minutes.delete(minute);
      else said = true;
    }
    this.explain(said);
    const dated = to - from > 86400 || !live;
    this.showStream(api.serverTime() / 1000, dated);
    this.momentList.show(this.moments, dated);
    if (this.chartPanel.hidden || !this.complete) return;
    // What lies before the channel was first seen is not worth the space.
    const seen = this.row ? Date.parse(this.row.first_seen) / 1000 : from;
    const first = Math.floor(Math.min(seen, to - shortestS) / stepS) * stepS;
    this.chart.show(this.minutes, {
      fromS: Math.max(from, first),
      toS: to,
      stepS,
      rowS: stepS,
      seenS: seen,
      viewers: this.viewers,
      watching: this.watching,
      changes: this.changed,
      moments: this.moments,
      participation: this.canParticipate() ? this.participation : null,
      now: live && this.row && {
        words: this.row.words_per_minute,
        messages: this.row.messages_per_minute,
        chatters: this.row.chatters,
      },
    });
  }

  // What is on, or why nothing is known of it; and what changed last.
  showStream(nowS, dated) {
    const last = this.watching;
    const live = last !== undefined && isFresh(last, nowS);
    this.figures.viewers.parentNode.hidden = !live;
    setText(this.figures.viewers, live ? count(last.viewers) : '–');
    let text = '';
    if (live) text = [last.game, last.title].map(harmless).filter(Boolean).join(' · ');
    else if (this.noViewers) text = sentence(this.noViewers);
    else if (last) text = 'Offline';
    setText(this.stream, text);
    const changes = this.changed.slice(-changesShown).reverse();
    const shown = changes.map(({ s, text: what }) => `${dated ? dayAndClock(s * 1000) : clock(s * 1000)} ${what}`);
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
    else if (this.complete && !said) why = this.span().said;
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
      const names = Object.keys(ranges);
      const longer = names[names.indexOf(this.state.range) + 1]; // of a picked one, the shortest
      this.empty.append(
        element('h2', {}, `No messages in the ${why}`),
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
            element('a', { href: this.link({ ...this.state, range: longer, from: null, to: null }) }, `Show the ${ranges[longer].said}`),
          ),
        );
    }
  }
}
