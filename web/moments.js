// Minutes in which chat stood out from what is usual in its channel, as a list that leads to what was said in them.

import { element } from './dom.js';
import { clock, count, dayAndClock, harmless } from './format.js';

const wordsShown = 3;

// Rows of /moments, with the time as Unix seconds, the best first where there are more than `most`; ascending.
export function momentsOf(rows, most) {
  const all = rows.map((row) => ({ ...row, s: Date.parse(row.time) / 1000 })).filter(({ s }) => !Number.isNaN(s));
  return all
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .sort((a, b) => a.s - b.s);
}

// link(moment): where its messages are.
export class Moments {
  constructor(link) {
    this.link = link;
    this.list = element('ol', { class: 'moments', 'aria-label': 'Moments' });
    this.node = element(
      'div',
      { class: 'moments-row', hidden: true },
      element('span', { class: 'note', title: 'Minutes in which chat stood out from the half hour before' }, 'Moments'),
      this.list,
    );
  }

  // dated: the days need to be told.
  show(moments, dated) {
    const said = JSON.stringify([moments, dated]);
    if (said === this.said) return;
    this.said = said;
    this.node.hidden = moments.length === 0;
    this.list.replaceChildren(...moments.map((moment) => element('li', {}, this.make(moment, dated))).reverse());
  }

  make(moment, dated) {
    const { s, score, messages, chatters, usual, words = [] } = moment;
    const ms = s * 1000;
    const named = words.slice(0, wordsShown).map(({ word }) => harmless(word));
    return element(
      'a',
      {
        href: this.link(moment),
        title: `${count(messages)} messages by ${count(chatters)} chatters, where ${count(usual)} a minute were usual; score ${Number(score).toFixed(1)}`,
      },
      element('time', { datetime: moment.time }, dated ? dayAndClock(ms) : clock(ms)),
      element('span', { class: 'score' }, `×${(messages / Math.max(1, usual)).toFixed(1)}`),
      element('bdi', {}, named.join(' ')),
    );
  }
}
