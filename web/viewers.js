// How many watch, and what changed in the streams. Rows of viewers are those of /viewers, a minute each, and only minutes
// with a sample: a channel that is offline has none.

import { harmless } from './format.js';

const goneS = 180; // after so long without a sample a channel is taken for offline, as by the server
const minuteS = 60;
const secondsOf = (row) => Date.parse(row.time) / 1000;

// Changes as /streams gives them, for people: { s, what: 'live' | 'offline' | 'game' | 'title', text }.
export function changesOf(rows) {
  return rows.map(({ time, change, game, title }) => ({ s: Date.parse(time) / 1000, what: change, text: said(change, game, title) }));
}

function said(change, game, title) {
  if (change === 'live') return `live: ${harmless(game || title)}`;
  if (change === 'game') return `game: ${harmless(game) || 'none'}`;
  if (change === 'title') return `title: ${harmless(title) || 'none'}`;
  return change;
}

// Whether the channel was live just now.
export function isFresh(row, nowS) {
  return nowS - secondsOf(row) - minuteS < goneS;
}

// The chart's column: for each time the mean of the rows with a sample from there to the next, or null.
// newest: the row of the last minute with a sample; name: of what.
export function levelsOf(rows, times, stepS, rowS = minuteS, newest = rows.at(-1), name = 'viewers') {
  const byMinute = new Map(rows.map((row) => [secondsOf(row), row[name]]));
  return times.map((time) => {
    let sum = 0;
    let number = 0;
    for (let minute = Math.ceil(time / rowS) * rowS; minute < time + stepS; minute += rowS) {
      if (!byMinute.has(minute)) continue;
      sum += byMinute.get(minute);
      number++;
    }
    if (number > 0) return sum / number;
    // For what comes behind the newest sample, right now above all, that one stands.
    return newest && time > secondsOf(newest) && isFresh(newest, time) ? newest[name] : null;
  });
}
