// Which time a view shows: one of the ranges that end now, or one that was picked. And how finely.

import { dayAndClock } from './format.js';

const minuteS = 60;
const dayS = 86400;

// every: how often numbers are asked for again while something is said (ms). Long ranges change little and cost more.
export const ranges = {
  '15m': { label: '15 min', said: 'last 15 minutes', seconds: 900, every: 2000 },
  '1h': { label: '1 h', said: 'last hour', seconds: 3600, every: 2000 },
  '6h': { label: '6 h', said: 'last 6 hours', seconds: 21600, every: 10000 },
  '24h': { label: '24 h', said: 'last 24 hours', seconds: dayS, every: 30000 },
  '7d': { label: '7 d', said: 'last 7 days', seconds: 7 * dayS, every: 120000 },
  '30d': { label: '30 d', said: 'last 30 days', seconds: 30 * dayS, every: 300000 },
  '365d': { label: '1 y', said: 'last year', seconds: 365 * dayS, every: 600000 },
};
export const picked = 'picked'; // the range of a state with `from` and `to`, in Unix seconds
export const shortestS = 300;
export const longestS = 366 * dayS;

const steps = [60, 300, 900, 1800, 3600, 7200, 21600, 43200, dayS]; // seconds a point of a chart
const pointsAtMost = 420;

export function stepFor(seconds) {
  return steps.find((step) => seconds / step <= pointsAtMost) ?? dayS;
}

// What a state shows at a time: fromS, toS; live: it ends now; stepS, every, said; query: the same for the API.
export function spanOf({ range, from, to }, nowS) {
  if (range !== picked) {
    const { seconds, every, said } = ranges[range];
    return { fromS: nowS - seconds, toS: nowS, live: true, stepS: stepFor(seconds), every, said, query: { from: `-${range}` } };
  }
  return {
    fromS: from,
    toS: Math.min(to, nowS),
    live: false,
    stepS: stepFor(to - from),
    every: Infinity,
    said: `time from ${dayAndClock(from * 1000)} to ${dayAndClock(to * 1000)}`,
    query: { from, to },
  };
}

// A picked range near what was wished for: whole minutes, of a length that can be shown, not in the future.
export function pick(fromS, toS, nowS) {
  const length = Math.min(longestS, Math.max(shortestS, Math.round((toS - fromS) / minuteS) * minuteS));
  const last = Math.floor(nowS / minuteS) * minuteS;
  let to = Math.round(toS / minuteS) * minuteS;
  if (toS - fromS < shortestS) to = Math.round((fromS + toS + length) / 2 / minuteS) * minuteS; // around its middle
  to = Math.min(last, Math.max(to, length));
  return { range: picked, from: to - length, to };
}

// A state's view in a range near what was wished for; null if it shows that already.
export function moved(state, fromS, toS, nowS) {
  const next = pick(fromS, toS, nowS);
  return ['range', 'from', 'to'].every((name) => state[name] === next[name]) ? null : { ...state, ...next };
}

// As it stands in the address: 2026-11-24T13:05Z
export function writeTime(s) {
  return `${new Date(s * 1000).toISOString().slice(0, 16)}Z`;
}

// Unix seconds, or null.
export function readTime(text) {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text ?? '')) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}
