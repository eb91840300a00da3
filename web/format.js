// Numbers, times and text as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

export function count(number) {
  return number == null ? '–' : whole.format(number);
}

// A share: 4.2 %
export function percent(share) {
  return share == null ? '–' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

// For the axes of charts: 123K
export function compact(number) {
  return number == null ? '–' : Math.abs(number) < 100000 ? whole.format(number) : short.format(number);
}

const pad = (number) => String(number).padStart(2, '0');

// The viewer's own clock: 13:05, or 13:05:09
export function clock(ms, seconds = false) {
  const date = new Date(ms);
  const text = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  return seconds ? `${text}:${pad(date.getSeconds())}` : text;
}

const day = new Intl.DateTimeFormat('en', { weekday: 'short', day: 'numeric', month: 'short' });

const dayOfYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const farMs = 300 * 86400000; // from where on the year needs to be told

export function dayAndClock(ms) {
  return `${(Math.abs(Date.now() - ms) > farMs ? dayOfYear : day).format(ms)}, ${clock(ms)}`;
}

// How long ago, in one unit: "now", "12 s", "5 min", "3 h", "2 d". Steps of 5 s keep it calm.
export function ago(ms, nowMs) {
  const seconds = Math.max(0, (nowMs - ms) / 1000);
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

// The same in a sentence.
export function agoSaid(ms, nowMs) {
  const text = ago(ms, nowMs);
  return text === 'now' ? text : `${text} ago`;
}

// A message of the server as a sentence: it begins without a capital and ends without a full stop.
export function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace(/([^.!?])$/, '$1.');
}

// Text from chat, made harmless to look at. Each message is isolated in its own element, so its direction is its own
// affair; what could still mislead or spill is taken out: characters that override direction, control characters (shown
// as pictures, ␀ ␛), and stacks of more than a few combining marks.
const overrides = /[\u202a-\u202e\u2066-\u2069]/g;
const controls = /[\u0000-\u001f\u007f-\u009f]/g;
const stacks = /(\p{M}{4})\p{M}+/gu;

export function harmless(text) {
  return String(text ?? '')
    .replace(overrides, '')
    .replace(controls, (c) => {
      const code = c.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd';
    })
    .replace(stacks, '$1');
}

// One of `choices` numbers for a name, always the same one.
export function hue(name, choices) {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) | 0;
  return Math.abs(hash) % choices;
}
