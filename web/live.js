// Server-sent events that come back by themselves.
//
// The browser reconnects when a connection breaks, but gives up when the server answers with an error, and does not notice
// a connection that died silently. So: an ended source is opened again with growing pauses, and one that was silent for
// a minute is replaced. A page that nobody sees lets go of its connection (browsers allow six to one server).
// Each new connection begins with `hello`; what was missed meanwhile has to be asked for then.

import { setServerTime } from './api.js';

const names = ['hello', 'channels', 'rate', 'words', 'users', 'message', 'skipped'];
const silenceMs = 60000;
const hiddenMs = 30000;
const pausesMs = [1000, 2000, 4000, 8000];

// handlers: { hello(data), channels(data), ... }; onState('connecting' | 'live' | 'reconnecting').
export function openLive(channel, handlers, onState) {
  const url = channel ? `/api/v1/live?channel=${encodeURIComponent(channel)}` : '/api/v1/live';
  let source = null;
  let failures = 0;
  let reopening = 0;
  let watching = 0;
  let hiding = 0;

  function open() {
    leave();
    source = new EventSource(url);
    for (const name of names) source.addEventListener(name, receive);
    source.addEventListener('error', lost);
    watch();
  }

  function leave() {
    clearTimeout(reopening);
    clearTimeout(watching);
    source?.close();
    source = null;
  }

  function receive(event) {
    watch();
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      return; // one event that cannot be read is not worth the rest
    }
    if (event.type === 'hello') {
      failures = 0;
      setServerTime(Date.parse(data.now));
      onState('live');
    }
    handlers[event.type]?.(data);
  }

  function lost() {
    onState('reconnecting');
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again
    const pause = pausesMs[Math.min(failures++, pausesMs.length - 1)];
    leave();
    reopening = setTimeout(open, pause);
  }

  function watch() {
    clearTimeout(watching);
    watching = setTimeout(open, silenceMs);
  }

  function visibility() {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(leave, hiddenMs);
    else if (!source) open();
  }

  document.addEventListener('visibilitychange', visibility);
  onState('connecting');
  open();

  return {
    close() {
      document.removeEventListener('visibilitychange', visibility);
      clearTimeout(hiding);
      leave();
    },
  };
}
