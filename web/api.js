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

// All minutes since `from`, which may be more than one answer holds: an answer has the newest.
async function minutes(channel, view, from, signal) {
  const answer = await get(of(channel, view), { from, limit: rowsAtMost }, signal);
  for (let page = answer; page.rows.length === rowsAtMost;) {
    page = await get(of(channel, view), { from: answer.from, to: page.rows[0].time, limit: rowsAtMost }, signal);
    answer.rows = page.rows.concat(answer.rows);
  }
  return answer;
}

export function rate(channel, from, signal) {
  return minutes(channel, 'rate', from, signal);
}

export function viewers(channel, from, signal) {
  return minutes(channel, 'viewers', from, signal);
}

export function streams(channel, from, limit, signal) {
  return get(of(channel, 'streams'), { from, limit }, signal);
}

// Why there are no viewers, as far as the server knows: a sentence, or null.
export async function noViewers(signal) {
  const response = await fetch('/healthz', { signal });
  const { viewers: told } = await response.json();
  return told?.status === 'missing' ? told.reason : null;
}

export function words(channel, from, kind, limit, signal) {
  return get(of(channel, 'words'), kind === 'all' ? { from, limit } : { from, kind, limit }, signal);
}

export function users(channel, from, limit, signal) {
  return get(of(channel, 'users'), { from, limit }, signal);
}

export function messages(channel, from, limit, signal) {
  return get(of(channel, 'messages'), { from, limit }, signal);
}

// The server's time: people's clocks are wrong by minutes, and charts end now.
let ahead = 0;

export function setServerTime(ms) {
  if (Number.isFinite(ms)) ahead = ms - Date.now();
}

export function serverTime() {
  return Date.now() + ahead;
}
