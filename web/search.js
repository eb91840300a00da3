// Messages of any time, read back from the log: by text, by user, or all of a minute. The newest at the bottom; what was
// said before them comes page by page.

import * as api from './api.js';
import { element, setText } from './dom.js';
import { makeMessage, refill } from './feed.js';
import { clock, count, dayAndClock, sentence } from './format.js';

const page = 100;
const minuteS = 60;

export const isSearch = ({ find, user, at }) => Boolean(find || user || at);

// onChange({ find, user, at }): something else is to be looked for.
export class Search {
  constructor(onChange) {
    this.text = element('input', {
      type: 'search',
      name: 'find',
      placeholder: 'Text',
      maxlength: '200',
      autocomplete: 'off',
      'aria-label': 'Text to look for in messages',
    });
    this.user = element('input', {
      type: 'search',
      name: 'user',
      placeholder: 'User',
      maxlength: '50',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      'aria-label': 'User whose messages to look for',
    });
    this.form = element(
      'form',
      {
        class: 'find',
        role: 'search',
        hidden: true,
        onsubmit: (event) => {
          event.preventDefault();
          onChange({ find: this.text.value.trim(), user: this.user.value.trim().replace(/^@/, '').toLowerCase(), at: null });
        },
      },
      this.text,
      this.user,
      element('button', { type: 'submit', class: 'quiet' }, 'Find'),
    );
    this.note = element('p', { class: 'note', role: 'status' });
    this.earlier = element(
      'button',
      { type: 'button', class: 'quiet earlier', hidden: true, onclick: () => this.ask(this.next) },
      'Earlier messages',
    );
    this.list = element('ol', { class: 'messages' });
    this.node = element(
      'div',
      { class: 'scroller found', tabindex: '0', role: 'group', 'aria-label': 'Messages found', hidden: true },
      this.note,
      this.earlier,
      this.list,
    );
    this.made = []; // messages of the list
    this.showEmotes = () => refill(this.made);
    addEventListener('emoteschange', this.showEmotes);
  }

  close() {
    removeEventListener('emoteschange', this.showEmotes);
    this.request?.abort();
  }

  // wanted: { find, user, at }; span: of ranges.js
  show(channel, wanted, span) {
    const asked = JSON.stringify([channel, wanted, span.live ? span.query : [span.fromS, span.toS]]);
    this.node.hidden = !isSearch(wanted);
    if (asked === this.asked) return;
    this.asked = asked;
    this.request?.abort();
    if (!isSearch(wanted)) return;
    this.form.hidden = false;
    this.text.value = wanted.find ?? '';
    this.user.value = wanted.user ?? '';
    this.channel = channel;
    this.wanted = wanted;
    this.said = wanted.at ? `the minute at ${dayAndClock(wanted.at * 1000)}` : span.said;
    this.query = wanted.at ? { from: wanted.at, to: wanted.at + minuteS } : span.query;
    this.dated = !wanted.at && span.toS - span.fromS > 86400;
    this.found = 0;
    this.list.replaceChildren();
    this.made = [];
    this.ask(null);
  }

  async ask(before) {
    this.request?.abort();
    const request = (this.request = new AbortController());
    this.earlier.hidden = true;
    setText(this.note, 'Reading …');
    try {
      const { find, user } = this.wanted;
      const answer = await api.messages(this.channel, this.query, page, request.signal, { text: find, user, before });
      this.add(answer, !before);
    } catch (error) {
      if (error.name !== 'AbortError') setText(this.note, sentence(error.message));
    }
  }

  add({ rows, next, exact }, first) {
    const { scrollHeight } = this.node;
    this.found += rows.length;
    this.next = next;
    const made = rows.map((row) => makeMessage(row, this.dated ? dayAndClock : (ms) => clock(ms, true)));
    this.made.push(...made);
    this.list.prepend(...made.map(({ node }) => node));
    this.earlier.hidden = !next || rows.length === 0;
    setText(
      this.note,
      `${this.found === 0 ? 'Nothing' : `${next ? 'The newest ' : ''}${count(this.found)}`} found in the ${this.said.replace(/^the /, '')}.` +
        (exact === false ? ' Reading took too long: there may be more.' : ''),
    );
    // The newest, and then what was seen, stays where it was.
    this.node.scrollTop = first ? this.node.scrollHeight : this.node.scrollTop + this.node.scrollHeight - scrollHeight;
  }
}
