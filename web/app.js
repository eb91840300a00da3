// The dashboard: reads the address, shows the view that it names, and says whether the numbers are live.
//
//   #/?filter=x&sort=chatters&order=asc     all channels
//   #/c/xqc?range=1h&kind=emote             one channel

import { Channel, kinds, ranges } from './channel.js';
import { setText } from './dom.js';
import { Overview } from './overview.js';

const main = document.getElementById('main');
const connection = document.getElementById('connection');
const sorts = ['channel', 'messages_per_minute', 'words_per_minute', 'chatters', 'top_emote', 'last_seen'];

function read(hash) {
  const [path, query = ''] = hash.replace(/^#/, '').split('?', 2);
  const parameters = new URLSearchParams(query);
  const choice = (name, choices, otherwise) =>
    choices.includes(parameters.get(name)) ? parameters.get(name) : otherwise;
  const named = /^\/c\/([A-Za-z0-9_]{1,64})$/.exec(path);
  if (named) {
    return {
      view: 'channel',
      channel: named[1].toLowerCase(),
      range: choice('range', Object.keys(ranges), '1h'),
      kind: choice('kind', Object.keys(kinds), 'all'),
    };
  }
  const sort = choice('sort', sorts, 'messages_per_minute');
  return {
    view: 'overview',
    filter: (parameters.get('filter') ?? '').slice(0, 64),
    sort,
    ascending: choice('order', ['asc', 'desc'], 'desc') === 'asc',
  };
}

// The shortest address of a state: what is as usual is left out.
function write(state) {
  const parameters = new URLSearchParams();
  if (state.view === 'channel') {
    if (state.range !== '1h') parameters.set('range', state.range);
    if (state.kind !== 'all') parameters.set('kind', state.kind);
  } else {
    if (state.filter) parameters.set('filter', state.filter);
    if (state.sort !== 'messages_per_minute') parameters.set('sort', state.sort);
    if (state.ascending) parameters.set('order', 'asc');
  }
  const query = String(parameters);
  return `#/${state.view === 'channel' ? `c/${encodeURIComponent(state.channel)}` : ''}${query ? `?${query}` : ''}`;
}

const stateTexts = { connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting' };

function showState(state) {
  connection.dataset.state = state;
  setText(connection, stateTexts[state]);
}

const context = {
  onState: showState,
  link: write,
  replaceState: (state) => history.replaceState(null, '', write(state)),
};

let shown = null;
let state = null;

function route() {
  const next = read(location.hash);
  document.title = next.view === 'channel' ? `${next.channel} · hubbub` : 'hubbub';
  if (shown && state.view === next.view && state.channel === next.channel) {
    state = next;
    shown.update(next);
    return;
  }
  const first = shown === null;
  shown?.close();
  state = next;
  shown = next.view === 'channel' ? new Channel(next, context) : new Overview(next, context);
  main.replaceChildren(shown.node);
  scrollTo(0, 0);
  if (!first) shown.title.focus({ preventScroll: true }); // the keyboard and screen readers go on from the new view
}

addEventListener('hashchange', route);
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault(); // the address holds the view
  main.focus();
});
route();
