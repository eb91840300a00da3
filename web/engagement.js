// How much those who watch take part, out of the rows of /engagement, one a minute.

import { element, setText } from './dom.js';
import { count, percent } from './format.js';

const figures = [
  [
    'messages_per_100_viewers',
    'messages/min per 100 viewers',
    'Messages a minute for every hundred who watch; the mean of the last hour',
  ],
  ['participation', 'take part', 'Distinct chatters of the last 10 minutes, for each of those who watched'],
  ['new_chatters', 'new', 'Chatters whose first message in this channel came in the last hour'],
  [
    'returning_chatters',
    'returning a minute',
    'Chatters of a minute who also wrote here in an earlier hour of the last 30 days; the mean of the last hour',
  ],
  ['subscriber_share', 'by subscribers', 'Share of the messages that subscribers wrote in the last hour'],
];

const known = (rows, name) => rows.map((row) => row[name]).filter((value) => value != null);
const mean = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null);

// One number for each figure, or null where nothing is known.
export function engagementOf(rows) {
  const subscribed = rows.filter((row) => row.subscriber_share != null);
  const messages = subscribed.reduce((sum, row) => sum + row.messages, 0);
  const news = known(rows, 'new_chatters');
  return {
    messages_per_100_viewers: mean(known(rows, 'messages_per_100_viewers')),
    participation: known(rows, 'participation').at(-1) ?? null,
    new_chatters: news.length ? news.reduce((sum, value) => sum + value, 0) : null,
    returning_chatters: mean(known(rows, 'returning_chatters')),
    subscriber_share: messages
      ? subscribed.reduce((sum, row) => sum + row.subscriber_share * row.messages, 0) / messages
      : null,
  };
}

const texts = {
  messages_per_100_viewers: (value) => value.toFixed(value < 10 ? 1 : 0),
  participation: percent,
  new_chatters: count,
  returning_chatters: count,
  subscriber_share: percent,
};

export class Engagement {
  constructor() {
    this.values = {};
    this.node = element('dl', { class: 'figures engagement', hidden: true });
    for (const [name, label, title] of figures) {
      const value = element('dd');
      this.values[name] = value;
      this.node.append(element('div', { title, hidden: true }, element('dt', {}, label), value));
    }
  }

  show(rows) {
    const all = engagementOf(rows);
    for (const [name, value] of Object.entries(all)) {
      this.values[name].parentNode.hidden = value == null;
      setText(this.values[name], value == null ? '' : texts[name](value));
    }
    this.node.hidden = Object.values(all).every((value) => value == null);
  }
}
