// How many watch: what a channel's viewer samples tell of its streams. Rows are those of /viewers, a minute each, and only
// minutes with a sample: a channel that is offline has none.

import { harmless } from './format.js';

export const goneS = 180; // after so long without a sample a channel is taken for offline
const minuteS = 60;
const secondsOf = (row) => Date.parse(row.time) / 1000;

// What changed, ascending: { s, what: 'live' | 'offline' | 'game' | 'title', text }. The first row tells of no change: what
// was before it is not known. nowS: as far as samples may have come; null when they do not come at all.
export function changesOf(rows, nowS) {
  const changes = [];
  rows.forEach((row, i) => {
    const s = secondsOf(row);
    const before = rows[i - 1];
    if (!before) return;
    const ended = secondsOf(before) + minuteS;
    if (s - ended >= goneS) {
      changes.push({ s: ended, what: 'offline', text: 'offline' });
      changes.push({ s, what: 'live', text: `live: ${harmless(row.game || row.title)}` });
    } else if (row.game !== before.game) {
      changes.push({ s, what: 'game', text: `game: ${harmless(row.game) || 'none'}` });
    } else if (row.title !== before.title) {
      changes.push({ s, what: 'title', text: `title: ${harmless(row.title) || 'none'}` });
    }
  });
  const last = rows.at(-1);
  if (last && nowS !== null && !isFresh(last, nowS))
    changes.push({ s: secondsOf(last) + minuteS, what: 'offline', text: 'offline' });
  return changes;
}

// Whether the channel was live just now.
export function isFresh(row, nowS) {
  return nowS - secondsOf(row) - minuteS < goneS;
}

// The chart's column: for each time the mean of the minutes with a sample from there to the next, or null.
export function levelsOf(rows, times, stepS) {
  const byMinute = new Map(rows.map((row) => [secondsOf(row), row.viewers]));
  const last = rows.at(-1);
  return times.map((time, i) => {
    // Behind the steps comes the time of right now, for which the newest sample stands.
    if (i === times.length - 1 && time % stepS !== 0) return last && isFresh(last, time) ? last.viewers : null;
    let sum = 0;
    let number = 0;
    for (let minute = Math.ceil(time / minuteS) * minuteS; minute < time + stepS; minute += minuteS) {
      if (!byMinute.has(minute)) continue;
      sum += byMinute.get(minute);
      number++;
    }
    return number > 0 ? sum / number : null;
  });
}
