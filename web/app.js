// The dashboard: reads the address, shows the view that it names, and says whether the numbers are live.
//
//   #/?filter=x&sort=chatters&order=asc                    all channels
//   #/c/xqc?range=1h&kind=emote                            one channel
//   #/c/xqc?from=2026-11-24T13:00Z&to=2026-11-24T14:00Z    ... in a range that was picked
//   #/c/xqc?find=good+day&user=someone&at=…                ... and messages looked for
//   #/compare/xqc,forsen?measure=words                     up to four channels on one chart

import { Channel, kinds } from './channel.js';
import { Compare, measures, most } from './compare.js';
import { setText } from './dom.js';
import { Overview } from './overview.js';
import { picked, ranges, readTime, writeTime } from './ranges.js';

const main = document.getElementById('main');
const connection = document.getElementById('connection');
const views = { channel: Channel, compare: Compare, overview: Overview };
const sorts = [
  'channel',
  'messages_per_minute',
  'words_per_minute',
  'chatters',
  'viewers',
  'participation',
  'top_emote',
  'last_seen',
];
const login = /^[a-z0-9_]{1,50}$/;
const soughtAtMost = 200; // characters

function readRange(parameters, choice) {
  const from = readTime(parameters.get('from'));
  const to = readTime(parameters.get('to'));
  if (from !== null && to !== null && from < to) return { range: picked, from, to };
  return { range: choice('range', Object.keys(ranges), '1h'), from: null, to: null };
}

function readSearch(parameters) {
  const user = (parameters.get('user') ?? '').toLowerCase();
  return {
    find: (parameters.get('find') ?? '').slice(0, soughtAtMost) || null,
    user: login.test(user) ? user : null,
    at: readTime(parameters.get('at')),
  };
}

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
      ...readRange(parameters, choice),
      ...readSearch(parameters),
      kind: choice('kind', Object.keys(kinds), 'all'),
      bots: parameters.get('bots') === '1',
    };
  }
  const listed = /^\/compare\/([A-Za-z0-9_,]*)$/.exec(path);
  if (listed) {
    const channels = listed[1].toLowerCase().split(',');
    return {
      view: 'compare',
      channels: [...new Set(channels.filter((name) => login.test(name)))].slice(0, most),
      ...readRange(parameters, choice),
      measure: choice('measure', Object.keys(measures), 'messages'),
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

const paths = {
  overview: () => '',
  channel: ({ channel }) => `c/${encodeURIComponent(channel)}`,
  compare: ({ channels }) => `compare/${channels.map(encodeURIComponent).join(',')}`,
};

// The shortest address of a state: what is as usual is left out.
function write(state) {
  const parts = [];
  const add = (name, value) => parts.push(`${name}=${encodeURIComponent(value).replace(/%3A/g, ':').replace(/%20/g, '+')}`);
  if (state.view === 'overview') {
    if (state.filter) add('filter', state.filter);
    if (state.sort !== 'messages_per_minute') add('sort', state.sort);
    if (state.ascending) add('order', 'asc');
  } else if (state.range === picked) {
    add('from', writeTime(state.from));
    add('to', writeTime(state.to));
  } else if (state.range !== '1h') {
    add('range', state.range);
  }
  if (state.view === 'channel') {
    if (state.kind !== 'all') add('kind', state.kind);
    if (state.bots) add('bots', 1);
    if (state.find) add('find', state.find);
    if (state.user) add('user', state.user);
    if (state.at) add('at', writeTime(state.at));
  }
  if (state.view === 'compare' && state.measure && state.measure !== 'messages') add('measure', state.measure);
  return `#/${paths[state.view](state)}${parts.length ? `?${parts.join('&')}` : ''}`;
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
  go: (state) => (location.hash = write(state)),
};

let shown = null;
let state = null;

function route() {
  const next = read(location.hash);
  document.title = { overview: 'hubbub', channel: `${next.channel} · hubbub`, compare: 'Compare · hubbub' }[next.view];
  if (shown && state.view === next.view && state.channel === next.channel) {
    state = next;
    shown.update(next);
    return;
  }
  const first = shown === null;
  shown?.close();
  state = next;
  shown = new views[next.view](next, context);
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
