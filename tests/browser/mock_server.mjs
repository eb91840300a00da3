// A small server that speaks hubbub's HTTP API with made-up numbers that move, so that the page can be tested without the
// rest: also with what real chat rarely has, and with a server that goes away and comes back.
//
//   node mock_server.mjs [PORT] [CHANNELS]      to look at the page by hand

import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const web = fileURLToPath(new URL('../../web/', import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: " +
  "https://static-cdn.jtvnw.net; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const hostile = {
  script: '<script>window.harmed = 1; alert(1)</script>',
  image: '<img src=x onerror="window.harmed = 2"><svg onload="window.harmed = 3">',
  styled: '<b style="position:fixed;inset:0">&lt;bold&gt;</b> &amp; {{7*7}} ${7*7} javascript:alert(1)',
  reversed: '\u202Egnp.exe\u2066 \u202Elamron si siht \u2067',
  controls: 'bell\u0007 escape\u001b[31mred\u001b[0m nul\u0000 del\u007f c1\u0085 newline\n\r\ttab',
  zalgo: `z${'\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307'.repeat(30)}algo`,
  emoji: '👩‍👩‍👧‍👦😀'.repeat(250),
  long: 'A'.repeat(500),
  lone: 'half \ud83d a pair',
  arabic: 'مرحبا بكم في الدردشة',
  hebrew: 'שלום (hello) 123',
};
const chat = [
  'KEKW that was close',
  'LUL',
  'is this the new update?',
  'Kappa Kappa Kappa',
  'gg wp',
  'first time here, hello from Brazil',
  'no way he clips that',
  '@someone you were right',
  'https://clips.example/abc',
  '!uptime',
  '😂😂 stop',
  'これはすごい',
  'вот это да',
  'the sound is a bit quiet today',
  'PogChamp PogChamp',
  'what song is this',
  'actually the second one was better, I think he only needs one more try and then it works',
];
// Ids of Twitch's emotes by name; one has an id that must not come into an address.
const emoteIds = { LUL: '425618', Kappa: '25', PogChamp: '305954156', BibleThump: '86', KEKW: '../../x' };
const kinds = {
  word: [
    'the',
    'is',
    'you',
    'that',
    'this',
    'no',
    'what',
    'good',
    'lol',
    'game',
    'he',
    'was',
    'right',
    'song',
    'вот',
    'すごい',
    hostile.script,
    hostile.zalgo,
    hostile.reversed,
  ],
  emote: ['KEKW', 'LUL', 'Kappa', 'PogChamp', 'BibleThump', 'NotLikeThis', 'ResidentSleeper', hostile.image],
  emoji: ['😂', '❤️', '👀', '🔥', '👩‍👩‍👧‍👦'],
  mention: ['@someone', '@streamer'],
  link: ['clips.example', 'www.example.org'],
  command: ['!uptime', '!song'],
};
const names = [
  'anna',
  'bertil',
  'caesar',
  'Dörte',
  'emil_99',
  '수진',
  'たけし',
  'GreyWolf',
  hostile.script,
  `${'x'.repeat(40)}\u202Etxt`,
];

// The same number for the same place, from 0 to 1.
function noise(...parts) {
  let hash = 2166136261;
  for (const c of parts.join('|')) hash = Math.imul(hash ^ c.codePointAt(0), 16777619);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0x5bd1e995);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

const iso = (s) => new Date(s * 1000).toISOString().replace('.000Z', 'Z');
const spans = { s: 1, m: 60, h: 3600, d: 86400 };

function readTime(text, nowS, otherwise) {
  if (text === null) return otherwise;
  const span = /^-(\d+)([smhd])$/.exec(text);
  if (span) return nowS - Number(span[1]) * spans[span[2]];
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text) / 1000;
}

const watched = 'xqc'; // the channel with viewers

// quietFor: seconds since the last message in every channel (for ranges without messages); storeless: as before anything
// was stored, until haveStore() is called; plain: without viewers, engagement, moments and bots.
export async function startMock({
  port = 0,
  channels = 40,
  quietFor = 0,
  messagesPerSecond = 4,
  storeless = false,
  plain = false,
} = {}) {
  const logins = Array.from({ length: channels }, (_, i) =>
    i === 0 ? watched : `channel_${String(i).padStart(3, '0')}`,
  );
  const begunS = Math.floor(Date.now() / 1000) - 3 * 86400;
  const streams = new Set();
  const removed = [];
  const requests = [];
  let turn = 0;

  const endS = () => Date.now() / 1000 - quietFor;

  function minuteRow(login, minute) {
    const size = 900 / (1 + logins.indexOf(login));
    const wave = 0.6 + 0.4 * Math.sin(minute / 1500 + logins.indexOf(login)) ** 2;
    const part = Math.min(1, Math.max(0, (endS() - minute) / 60));
    const messages = Math.round(size * wave * (0.7 + 0.6 * noise(login, minute)) * part);
    return {
      time: iso(minute),
      messages,
      words: Math.round(messages * 5.3),
      chatters: Math.round(messages * 0.6),
      shared: 0,
      layer: minute < Math.floor(Date.now() / 3600000) * 3600 ? 'batch' : 'speed', // hours that are over are recounted
    };
  }
  // Sums of minutes, as the server makes them; for long steps only some of their minutes are looked at.
  function stepRow(login, start, step) {
    const each = Math.max(60, Math.floor(step / 20 / 60) * 60);
    const rows = [];
    for (let minute = start; minute < start + step; minute += each)
      if (minute >= Math.floor(begunS / 60) * 60 && minute < endS()) rows.push(minuteRow(login, minute));
    const sum = (name) => rows.reduce((all, row) => all + row[name], 0) * (each / 60);
    return rows.length === 0
      ? null
      : {
          ...rows[0],
          time: iso(start),
          messages: sum('messages'),
          words: sum('words'),
          chatters: Math.round(rows.reduce((all, row) => all + row.chatters, 0) / rows.length),
        };
  }
  function* stepsOf(from, to, step) {
    const first = Math.max(from, Math.floor(begunS / step) * step);
    for (let start = Math.floor(first / step) * step; start < to; start += step) yield start;
  }
  function channelRow(login) {
    const rank = logins.indexOf(login);
    const { messages, words, chatters } = minuteRow(login, Math.floor(Date.now() / 60000) * 60 - 60);
    const more = quietFor ? 0 : Math.round(messages * 0.05 * noise(login, turn)) + (turn % 2);
    return {
      channel: login,
      room_id: String(1000 + rank),
      messages_per_minute: messages + more,
      words_per_minute: words + 5 * more,
      chatters,
      top_emote: rank % 7 === 6 ? null : kinds.emote[rank % kinds.emote.length],
      first_seen: iso(begunS),
      last_seen: iso(Math.floor(endS() - (rank > 5 ? rank * noise(login, turn) : 0))),
      spark: sparkOf(login),
      ...(plain
        ? {}
        : {
            viewers: rank % 3 === 0 ? Math.round(45000 / (1 + rank)) : null,
            participation: rank % 3 === 0 ? 0.02 + 0.1 * noise(login) : null,
            moment: rank % 10 === 1 ? momentRow(login, Math.floor(Date.now() / 60000) - 4).time : null,
          }),
    };
  }
  // The last 30 minutes that are over; made once a minute.
  const sparks = new Map();
  function sparkOf(login) {
    const minute = Math.floor(Date.now() / 60000) * 60;
    const kept = sparks.get(login);
    if (kept?.minute === minute) return kept.values;
    const values = Array.from({ length: 30 }, (_, i) => minuteRow(login, minute - (30 - i) * 60).messages);
    sparks.set(login, { minute, values });
    return values;
  }
  function momentRow(login, minuteNumber) {
    const row = minuteRow(login, minuteNumber * 60);
    return {
      time: row.time,
      score: 5 + 10 * noise('score', login, minuteNumber),
      messages: row.messages * 4,
      chatters: row.chatters,
      usual: row.messages,
      words: [
        { kind: 'emote', word: hostile.image, count: 40 },
        { kind: 'emote', word: 'KEKW', count: 39 },
        { kind: 'word', word: hostile.reversed, count: 5 },
      ],
      layer: 'speed',
    };
  }
  // The tenth minute of every quarter of an hour, and the one four minutes ago.
  function momentRows(login, from, to) {
    const rows = [];
    const recent = Math.floor(Date.now() / 60000) - 4;
    for (let minute = Math.ceil(Math.max(from, begunS) / 60); minute * 60 < to; minute++)
      if (minute % 15 === 10 || minute === recent) rows.push(momentRow(login, minute));
    return rows;
  }
  function engagementRows(login, from, to) {
    const rows = [];
    const seen = login === watched;
    for (let minute = Math.ceil(from / 60) * 60; minute < Math.min(to, endS()); minute += 60) {
      const { time, messages, chatters, layer } = minuteRow(login, minute);
      rows.push({
        time,
        messages,
        chatters,
        viewers: seen ? 40000 : null,
        messages_per_100_viewers: seen ? messages / 400 : null,
        participation: seen ? 0.042 : null,
        new_chatters: 2,
        returning_chatters: 30,
        subscriber_share: 0.25,
        layer,
      });
    }
    return rows;
  }
  // Another stream, four minutes off, and on again forty minutes ago; ten minutes ago another title.
  function viewerRows(from, to) {
    const nowMinute = Math.floor(Date.now() / 60000) * 60;
    const rows = [];
    for (let minute = Math.ceil(from / 60) * 60; minute < to; minute += 60) {
      const age = (nowMinute - minute) / 60;
      if (age >= 40 && age < 44) continue;
      rows.push({
        time: iso(minute),
        viewers: Math.round(40000 + 5000 * Math.sin(minute / 900)),
        samples: 1,
        game: age < 40 ? 'Just Chatting' : hostile.script,
        title: age < 10 ? hostile.image : 'hello; \\o/',
        layer: 'speed',
      });
    }
    return rows;
  }
  function streamRows(limit) {
    const nowMinute = Math.floor(Date.now() / 60000) * 60;
    const row = (age, change, viewers, game, title) => ({ time: iso(nowMinute - age * 60), change, viewers, game, title });
    return [
      row(43, 'offline', 0, '', ''),
      row(39, 'live', 40000, 'Just Chatting', 'hello; \\o/'),
      row(9, 'title', 41000, 'Just Chatting', hostile.image),
    ].slice(-limit);
  }
  // past: of the time before, when some words were more frequent, some less, and some not there yet.
  function wordRows(kind, limit, past = false) {
    const all = Object.entries(kinds).flatMap(([k, list]) =>
      list.map((word, i) => ({ kind: k, word, count: Math.round(5000 / (i + 1) / (k === 'word' ? 1 : 2)) + turn })),
    );
    if (past) {
      all.forEach((row, i) => (row.count = Math.round((row.count - turn) * [1, 0.25, 4][i % 3])));
      all.splice(4, 1);
    }
    return all
      .filter((row) => !kind || row.kind === kind)
      .sort((a, b) => b.count - a.count)
      .slice(0, limit)
      .map((row, i) => ({ rank: i + 1, ...row }));
  }
  function userRows(limit, bots = false) {
    const all = Array.from({ length: 60 }, (_, i) => ({
      user_id: String(7000 + i),
      user_name: names[i] ?? `chatter_${i}`,
      messages: Math.round(400 / (i + 1)) + turn,
      words: Math.round(2100 / (i + 1)) + turn,
    }));
    if (bots) all.unshift({ user_id: '1', user_name: 'Nightbot', messages: 1000 + turn, words: 9000 });
    return all
      .slice(0, limit)
      .map((row, i) => ({ rank: i + 1, ...row }));
  }
  function message(login, number, timeMs) {
    const texts = Object.values(hostile);
    const text =
      number % 9 === 0 ? texts[(number / 9) % texts.length] : chat[Math.floor(noise(login, number) * chat.length)];
    const who = Math.floor(noise('who', number) * 30);
    const id = `${login}-${number}`;
    const deleted = number % 31 === 30 || removed.includes(id);
    return {
      time: new Date(timeMs).toISOString(),
      id,
      user_id: String(7000 + who),
      login: `chatter_${who}`,
      user_name: names[who] ?? `chatter_${who}`,
      text: deleted ? '' : text,
      ...(deleted ? {} : emotesOf(text)),
      action: number % 17 === 16,
      shared: number % 23 === 22,
      deleted,
    };
  }
  // As the server tells them: in the text's order, code points.
  function emotesOf(text) {
    const found = [];
    let at = 0;
    for (const chunk of text.split(' ')) {
      const begin = at;
      at += [...chunk].length + 1;
      if (chunk in emoteIds) found.push({ id: emoteIds[chunk], begin, end: at - 1 });
    }
    return found.length ? { emotes: found } : {};
  }
  const periodMs = 1000 / messagesPerSecond;
  const newestNumber = () => Math.floor((endS() * 1000) / periodMs);

  function answer(response, status, body) {
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'",
    });
    response.end(JSON.stringify(body));
  }
  const fail = (response, status, code, text) => answer(response, status, { error: { code, message: text } });

  function api(parts, query, response) {
    const nowS = Math.floor(Date.now() / 1000);
    if (storeless) return fail(response, 503, 'missing', "there is no store yet; 'hubbub run' makes one");
    const limit = Number(query.get('limit') ?? (parts[2] === 'rate' ? 1440 : 100));
    const from = readTime(query.get('from'), nowS, nowS - 3600);
    const to = readTime(query.get('to'), nowS, nowS);
    const head = { from: iso(from), to: iso(to), exact: true };
    if (!(limit >= 1 && limit <= 10000)) return fail(response, 400, 'usage', 'limit must be a number from 1 to 10000');
    if (!(from <= to)) return fail(response, 400, 'usage', 'from is after to');
    if (parts.length === 1 && parts[0] === 'channels')
      return answer(response, 200, { ...head, rows: logins.slice(0, limit).map(channelRow) });
    const [, login, view] = parts;
    if (parts[0] !== 'channels' || parts.length !== 3) return fail(response, 404, 'missing', 'there is no such page');
    if (!logins.includes(login)) return fail(response, 404, 'missing', `channel '${login}' was never seen`);
    const hours = { ...head, from: iso(Math.floor(from / 3600) * 3600) };
    const silent = from > endS();
    switch (view) {
      case 'rate': {
        const rows = [];
        const step = Number(query.get('step') ?? 60);
        if (step > 60)
          for (const start of stepsOf(from, Math.min(to, endS()), step)) rows.push(stepRow(login, start, step));
        else
          for (let minute = Math.ceil(Math.max(from, begunS) / 60) * 60; minute < Math.min(to, endS()); minute += 60)
            rows.push(minuteRow(login, minute));
        return answer(response, 200, { channel: login, ...head, rows: rows.slice(-limit) });
      }
      case 'words':
        return answer(response, 200, {
          channel: login,
          ...hours,
          to: iso(Math.ceil(to / 3600) * 3600),
          rows: silent ? [] : wordRows(query.get('kind'), limit, to < nowS - 60),
        });
      case 'users':
        if (plain && query.has('bots')) return fail(response, 400, 'usage', "there is no parameter 'bots' here");
        return answer(response, 200, {
          channel: login,
          ...hours,
          rows: silent ? [] : userRows(limit, query.get('bots') === '1'),
        });
      case 'viewers': {
        const step = Number(query.get('step') ?? 60);
        const rows = login === watched ? viewerRows(Math.max(from, begunS), to) : [];
        return answer(response, 200, {
          channel: login,
          ...head,
          rows: rows.filter(({ time }) => (Date.parse(time) / 1000) % step === 0).slice(-limit),
        });
      }
      case 'moments':
        if (plain) break;
        return answer(response, 200, { channel: login, ...head, rows: momentRows(login, from, to).slice(-limit) });
      case 'engagement':
        if (plain) break;
        return answer(response, 200, { channel: login, ...head, rows: engagementRows(login, from, to).slice(-limit) });
      case 'streams':
        return answer(response, 200, {
          channel: login,
          ...head,
          rows: login === watched ? streamRows(limit) : [],
        });
      case 'messages': {
        // Only the newest few thousand can be found.
        const text = (query.get('text') ?? '').toLowerCase();
        const user = query.get('user');
        const last = Math.min(newestNumber(), Math.ceil((to * 1000) / periodMs) - 1);
        let number = query.has('before') ? Number(query.get('before').split('-')[1]) - 1 : last;
        const rows = [];
        for (; rows.length < limit && number > last - 20000 && number * periodMs >= from * 1000; number--) {
          const row = message(login, number, number * periodMs);
          if (row.text.toLowerCase().includes(text) && (!user || row.login === user)) rows.unshift(row);
        }
        const more = number > last - 20000 && number * periodMs >= from * 1000;
        return answer(response, 200, {
          channel: login,
          ...head,
          ...(more ? { next: `${Math.floor(number * periodMs)}-${number + 1}` } : {}),
          rows,
        });
      }
    }
    return fail(response, 404, 'missing', 'there is no such page');
  }

  function live(login, response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    response.write('retry: 1000\n\n');
    send('hello', { version: '0.0.0', now: iso(Math.floor(Date.now() / 1000)) });
    if (!storeless) send('channels', { rows: logins.map(channelRow) });
    const stream = { login, send, number: newestNumber(), response };
    streams.add(stream);
    response.on('close', () => streams.delete(stream));
  }

  const beat = setInterval(() => {
    turn++;
    const nowS = Math.floor(Date.now() / 1000);
    const minute = Math.floor(nowS / 60) * 60;
    for (const { login, send } of streams) {
      if (!logins.length || quietFor || storeless) continue;
      send('channels', { rows: logins.map(channelRow) });
      if (!logins.includes(login)) continue;
      send('rate', { channel: login, rows: [minuteRow(login, minute - 60), minuteRow(login, minute)] });
      if (turn % 2 === 0) {
        send('words', { channel: login, rows: wordRows(null, 20) });
        send('users', { channel: login, rows: userRows(20) });
      }
      if (turn % 10 === 0) send('skipped', { count: 12 });
    }
  }, 1000);
  const talk = setInterval(() => {
    for (const stream of streams) {
      if (!logins.includes(stream.login) || quietFor || storeless) continue;
      for (const newest = newestNumber(); stream.number < newest;) {
        stream.number++;
        stream.send('message', message(stream.login, stream.number, stream.number * periodMs));
      }
    }
  }, 100);

  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    requests.push(url.pathname + url.search);
    const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    if (parts[0] === 'api' && parts[1] === 'v1') {
      return parts[2] === 'live'
        ? live(url.searchParams.get('channel'), response)
        : api(parts.slice(2), url.searchParams, response);
    }
    if (url.pathname === '/healthz')
      return answer(response, storeless ? 503 : 200, {
        status: storeless ? 'waiting' : 'ok',
        version: '0.0.0',
        now: iso(Math.floor(Date.now() / 1000)),
        viewers: { status: 'missing', reason: 'viewers are not counted: no credentials' },
      });
    const file = path.join(web, url.pathname === '/' ? 'index.html' : path.normalize(url.pathname));
    const type = types[path.extname(file)];
    const content = type && file.startsWith(web) && (await readFile(file).catch(() => null));
    if (!content) return fail(response, 404, 'missing', 'there is no such page');
    const zipped = gzipSync(content);
    response.writeHead(200, {
      'Content-Type': type,
      'Content-Length': zipped.length,
      'Content-Encoding': 'gzip',
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-cache',
    });
    response.end(zipped);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    port: server.address().port,
    watched,
    requests,
    haveStore: () => (storeless = false),
    // Says again, as removed, a message that was sent before.
    remove(id) {
      removed.push(id);
      const [login, number] = id.split('-');
      for (const stream of streams)
        if (stream.login === login) stream.send('message', message(login, Number(number), Number(number) * periodMs));
    },
    removeSilently: (id) => removed.push(id),
    // Sends every page looking at the channel a message with this text; more: other fields of its row.
    say(login, text, more = {}) {
      for (const stream of streams) {
        if (stream.login === login)
          stream.send('message', {
            ...message(login, 1, Date.now()),
            id: `said-${Math.random()}`,
            text,
            emotes: emotesOf(text).emotes,
            deleted: false,
            ...more,
          });
      }
    },
    async close() {
      clearInterval(beat);
      clearInterval(talk);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({ port: Number(process.argv[2] ?? 0), channels: Number(process.argv[3] ?? 40) });
  console.log(mock.url);
}
