// Questions to the server, and the server's clock.

const rowsAtMost = 10000; // in one answer
const patienceMs = 30000; // until an answer has come whole

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status; // 0: no answer
  }
}

async function get(path, parameters, signal) {
  let response;
  try {
    response = await fetch(`/api/v1/${path}?${new URLSearchParams(parameters)}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('The server does not answer.', 0);
  }
  let answer;
  try {
    answer = await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('The server gave an answer that cannot be read.', response.status);
  }
  if (!response.ok)
    throw new ApiError(answer?.error?.message ?? `The server answered ${response.status}.`, response.status);
  return answer;
}

const of = (channel, view) => `channels/${encodeURIComponent(channel)}/${view}`;

export function channels(signal) {
  return get('channels', { limit: rowsAtMost }, signal);
}

// Questions about a channel take a query of ranges.js: { from } or { from, to }.

// Rows of so many seconds; the newest, if there are more than one answer holds.
function minutes(channel, view, query, stepS, signal) {
  return get(of(channel, view), { ...query, step: stepS, limit: rowsAtMost }, signal);
}

export function rate(channel, query, stepS, signal) {
  return minutes(channel, 'rate', query, stepS, signal);
}

export function viewers(channel, query, stepS, signal) {
  return minutes(channel, 'viewers', query, stepS, signal);
}

export function streams(channel, query, limit, signal) {
  return get(of(channel, 'streams'), { ...query, limit }, signal);
}

export function moments(channel, query, limit, signal) {
  return get(of(channel, 'moments'), { ...query, limit }, signal);
}

export function engagement(channel, query, limit, signal) {
  return get(of(channel, 'engagement'), { ...query, limit }, signal);
}

// Why there are no viewers, as far as the server knows: a sentence, or null.
export async function noViewers(signal) {
  const response = await fetch('/healthz', { signal });
  const { viewers: told } = await response.json();
  return told?.status === 'missing' ? told.reason : null;
}

export function words(channel, query, kind, limit, signal) {
  return get(of(channel, 'words'), { ...query, limit, ...(kind === 'all' ? {} : { kind }) }, signal);
}

export function users(channel, query, bots, limit, signal) {
  return get(of(channel, 'users'), { ...query, limit, ...(bots ? { bots: 1 } : {}) }, signal);
}

// found: { text, user, before }, each of which may be missing
export function messages(channel, query, limit, signal, found = {}) {
  const wanted = Object.fromEntries(Object.entries(found).filter(([, value]) => value));
  return get(of(channel, 'messages'), { ...query, limit, ...wanted }, signal);
}

// The server's time: people's clocks are wrong by minutes, and charts end now.
let ahead = 0;

export function setServerTime(ms) {
  if (Number.isFinite(ms)) ahead = ms - Date.now();
}

export function serverTime() {
  return Date.now() + ahead;
}
