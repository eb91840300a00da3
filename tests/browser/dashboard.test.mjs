// The dashboard in a real browser, against the mock server beside this file. With HUBBUB_URL it is a running hubbub instead,
// and what only a mock can do (say hostile things, go away, know no channel) is skipped.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, openPage } from './browser.mjs';
import { hostile, startMock } from './mock_server.mjs';

const real = process.env.HUBBUB_URL && new URL('/', process.env.HUBBUB_URL).href.replace(/\/$/, '');
const mockOnly = { skip: real ? 'needs the mock server' : false };
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const phone = { viewport: { width: 375, height: 720 }, hasTouch: true, isMobile: true };

let browser;
let mock;
let url;
let channel; // a busy one, whose viewers are known

before(async () => {
  browser = await launch();
  if (!real) mock = await startMock();
  url = real ?? mock.url;
  // The mock's busiest channel is another one from minute to minute, and has viewers only if it is this one.
  channel = mock?.watched ?? (await hottest());
});
after(async () => {
  await browser?.close();
  await mock?.close();
});

async function hottest() {
  const { rows } = await (await fetch(`${url}/api/v1/channels`)).json();
  return rows.sort((a, b) => b.messages_per_minute - a.messages_per_minute)[0].channel;
}

// Opens a page, lets `use` work with it, and then nothing may have gone wrong in it.
async function visit(address, use, options) {
  const opened = await openPage(browser, address, options);
  try {
    await use(opened.page, opened);
    assert.deepEqual(opened.faults, []);
  } finally {
    await opened.context.close();
  }
}

// Long, since nothing here is a test of the machine's speed; and a chart of a demo that began just now waits for its first
// whole minute.
async function until(what, condition, ms = 90000) {
  const end = Date.now() + ms;
  for (;;) {
    const last = await condition();
    if (last) return last;
    assert(Date.now() < end, `not within ${ms / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const texts = (page, selector) => page.locator(selector).allTextContents();
const rates = (page) => texts(page, '.channels td.column-messages_per_minute');
const names = (page) => texts(page, '.channels tbody th a');
const isLive = (page) => page.locator('#connection[data-state=live]').waitFor();
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// How many pixels of the chart are drawn in about the colour of its words.
const drawn = (page) =>
  page.evaluate(() => {
    const canvas = document.querySelector('.chart canvas');
    if (!canvas) return 0;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.fillStyle = getComputedStyle(canvas).getPropertyValue('--words');
    copy.fillRect(0, 0, 1, 1);
    const wanted = copy.getImageData(0, 0, 1, 1).data;
    copy.clearRect(0, 0, 1, 1);
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let number = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 128 && [0, 1, 2].every((c) => Math.abs(data[i + c] - wanted[c]) < 24)) number++;
    }
    return number;
  });

test('the overview shows the channels, and their numbers move', async () => {
  await visit(`${url}/`, async (page) => {
    await until('rows', async () => (await names(page)).length > 0);
    await isLive(page);
    const first = await rates(page);
    await until('rates that move', async () => String(await rates(page)) !== String(first));
    assert((await names(page)).includes(channel));
    assert.match(await page.locator('.figures').textContent(), /\d/);
  });
});

test('the hottest channel is on top; columns sort, the filter filters, and the address keeps both', async () => {
  await visit(`${url}/`, async (page) => {
    const numbers = async () => (await rates(page)).map((text) => Number(text.replaceAll(',', '')));
    await until('rows', async () => (await names(page)).length > 1);
    const top = await until('rates', async () => (await numbers())[0] > 0 && numbers());
    assert(top[0] >= top.at(-1), String(top));
    await page.getByRole('button', { name: 'Channel' }).click();
    await until('names in order', async () => {
      const now = await names(page);
      return String(now) === String([...now].sort());
    });
    assert.equal(await page.locator('th[aria-sort=ascending]').textContent(), 'Channel');
    await page.keyboard.press('/');
    await page.keyboard.type(channel.toUpperCase());
    await until('one channel', async () => (await names(page)).every((name) => name.includes(channel)));
    assert.match(page.url(), new RegExp(`#/\\?filter=${channel}&sort=channel&order=asc$`));
    await page.reload();
    await until(
      'one channel',
      async () => (await names(page)).length > 0 && (await names(page)).every((name) => name.includes(channel)),
    );
    await page.locator('#filter').press('Escape');
    await until('all channels', async () => (await names(page)).length > 1);
  });
});

test('the keyboard opens a channel and comes back', async () => {
  await visit(`${url}/`, async (page) => {
    await page.locator('.channels tbody a').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('.view.channel').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
    assert.match(await page.title(), /· hubbub$/);
    await page.goBack();
    await page.locator('.view.overview').waitFor();
    assert.equal(await page.title(), 'hubbub');
  });
});

test('a channel has a chart, words, users and figures', async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    await until('a chart', async () => (await drawn(page)) > 20);
    await until('words', async () => (await texts(page, '.words tbody tr')).length > 3);
    await until('users', async () => (await texts(page, '.users tbody tr')).length > 3);
    await until('figures', async () => /\d/.test(await page.locator('.figure-messages_per_minute').textContent()));
    const counts = (await texts(page, '.words td.column-count')).map((text) => Number(text.replaceAll(',', '')));
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => b - a),
    );
    assert.match(await page.locator('.canvas').getAttribute('aria-label'), /^Words a minute from .* highest [\d,]+ at/);
    const before = await texts(page, '.words td.column-count');
    await until('words that move', async () => String(await texts(page, '.words td.column-count')) !== String(before));
    await page.locator('.canvas').hover();
    // A demo that began this minute has no minute to show yet.
    const moment = real ? /a minute at \d\d:\d\d|in the last 60 seconds/ : /a minute at \d\d:\d\d/;
    await until('values at the cursor', async () => moment.test(await page.locator('.moment').textContent()));
  });
});

test('lines of the chart switch off and on', async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    const full = await until('a chart', async () => (await drawn(page)) > 20 && drawn(page));
    const button = page.locator('button.line-words');
    await button.click();
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    await until('no line of words', async () => (await drawn(page)) < full / 4);
    await button.click();
    await until('the line again', async () => (await drawn(page)) > full / 2);
  });
});

test('kinds and ranges switch, and the address keeps them', async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    await page.getByRole('navigation', { name: 'Kind of words' }).getByRole('link', { name: 'Emotes' }).click();
    await until('only emotes', async () => {
      const kinds = await texts(page, '.words td.column-kind');
      return kinds.length > 0 && kinds.every((kind) => kind === 'emote');
    });
    assert.match(page.url(), /\?kind=emote$/);
    for (const range of ['15 min', '6 h', '24 h', '7 d']) {
      await page.getByRole('navigation', { name: 'Range' }).getByRole('link', { name: range }).click();
      await until(
        `the range ${range}`,
        async () => (await page.locator('.switch-range [aria-current]').textContent()) === range,
      );
      await until('a chart', async () => (await drawn(page)) > 20);
    }
    assert.match(page.url(), /\?range=7d&kind=emote$/);
    await page.goBack();
    await until('the range before', async () => (await page.locator('.switch-range [aria-current]').textContent()) === '24 h');
    await page.reload();
    assert.equal(await page.locator('.switch-range [aria-current]').textContent(), '24 h');
    assert.equal(await page.locator('.switch-kind [aria-current]').textContent(), 'Emotes');
  });
});

test('the feed moves, stays bounded, and pauses', async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    const last = async () => (await texts(page, '.messages li')).slice(-1)[0];
    const first = await until('messages', last);
    await until('newer messages', async () => (await last()) !== first);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.mouse.move(5, 5);
    const held = await last();
    await until('a count of what waits', async () =>
      /Paused · [\d,]+ new/.test(await page.locator('.feed .head').textContent()),
    );
    assert.equal(await last(), held);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.mouse.move(5, 5);
    await until('newer messages again', async () => (await last()) !== held);
    await page.locator('.feed .live').hover();
    await until('paused under the pointer', async () => /Paused/.test(await page.locator('.feed .head').textContent()));
    assert((await texts(page, '.messages li')).length <= 201);
    await page.mouse.move(5, 5);
    await until('no pause', async () => !/Paused/.test(await page.locator('.feed .head').textContent()));
  });
});

test('it follows the system’s colours, and the choice of the reader over them', async () => {
  const ground = (page) =>
    page.evaluate(() =>
      getComputedStyle(document.body)
        .backgroundColor.match(/\d+/g)
        .slice(0, 3)
        .every((part) => Number(part) < 60),
    );
  await visit(
    `${url}/#/c/${channel}`,
    async (page) => {
      assert.equal(await ground(page), true);
      await until('a chart', async () => (await drawn(page)) > 20);
      await page.getByRole('button', { name: 'Theme: auto' }).click();
      assert.equal(await ground(page), false);
      await until('a chart in the other colours', async () => (await drawn(page)) > 20);
      await page.reload();
      assert.equal(await ground(page), false);
      await page.getByRole('button', { name: 'Theme: light' }).click();
      assert.equal(await ground(page), true);
      await page.getByRole('button', { name: 'Theme: dark' }).click();
      assert.equal(await page.locator('#theme').textContent(), 'Theme: auto');
    },
    { colorScheme: 'dark' },
  );
});

test('it fits a phone', async () => {
  await visit(
    `${url}/`,
    async (page) => {
      await until('rows', async () => (await names(page)).length > 0);
      assert.equal(await wide(page), 0);
      await page.locator('.channels tbody a').first().tap();
      await until('a chart', async () => (await drawn(page)) > 20);
      await until('messages', async () => (await texts(page, '.messages li')).length > 0);
      assert.equal(await wide(page), 0);
    },
    phone,
  );
});

for (const [theme, options] of [
  ['light', {}],
  ['dark', { colorScheme: 'dark' }],
  ['on a phone', phone],
]) {
  test(`axe-core finds nothing serious (${theme})`, async () => {
    for (const [address, ready] of [
      ['/', '.channels tbody tr'],
      [`/#/c/${channel}`, '.messages li'],
      ...(theme === 'light' ? [[`/#/c/${channel}?find=e`, '.found li']] : []),
      ...(theme === 'dark' ? [] : [[`/#/compare/${channel},never_seen_here`, '.canvas canvas']]),
      ['/#/c/never_seen_here', '.empty h2'],
    ]) {
      const { context, page } = await openPage(browser, url + address, options);
      await page.locator(ready).first().waitFor();
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document));
      const found = violations
        .filter(({ impact }) => ['serious', 'critical', 'moderate'].includes(impact))
        .map(
          ({ id, nodes }) =>
            `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} (${failureSummary})`).slice(0, 3)}`,
        );
      assert.deepEqual(found, [], address);
      await context.close();
    }
  });
}

test('the page weighs under 150 kB, and paints soon', async (t) => {
  await visit(`${url}/`, async (page) => {
    await until('rows', async () => (await names(page)).length > 0);
    const { bytes, paint } = await page.evaluate(() => ({
      bytes: [
        ...performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/api/')),
        ...performance.getEntriesByType('navigation'),
      ].reduce((sum, entry) => sum + entry.transferSize, 0),
      paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    }));
    t.diagnostic(`${bytes} bytes, first contentful paint after ${Math.round(paint)} ms`);
    assert(bytes > 50000 && bytes < 150000, `${bytes} bytes`);
    assert(paint > 0);
  });
});

test('an unknown channel says what to do', async () => {
  await visit(`${url}/#/c/never_seen_here`, async (page, { expect }) => {
    expect(/404/);
    await page.getByRole('heading', { name: 'Nothing is known of this channel yet' }).waitFor();
    assert.match(await page.locator('.empty').textContent(), /hubbub run never_seen_here/);
    await isLive(page);
    await page.locator('.empty').getByRole('link', { name: 'All channels' }).click();
    await until('rows', async () => (await names(page)).length > 0);
  });
});

test('what hostile people write is shown as text, and harms nothing', mockOnly, async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    await until('messages', async () => (await texts(page, '.messages li')).length > 20);
    for (const text of Object.values(hostile)) mock.say(channel, text);
    let shown = [];
    await until('the hostile messages', async () => {
      shown = await texts(page, '.messages .text');
      return ['script', 'image', 'styled', 'long', 'emoji', 'arabic'].every((name) => shown.includes(hostile[name]));
    });
    assert(
      shown.some((text) => text.startsWith('bell␇ escape␛[31mred') && !/[\u0000-\u001f\u007f-\u009f]/.test(text)),
      'controls are pictures',
    );
    assert(
      shown.every((text) => !/[\u202a-\u202e\u2066-\u2069]/.test(text)),
      'no overrides',
    );
    const found = await page.evaluate(() => ({
      harmed: window.harmed,
      elements: document.querySelectorAll('main script, main img, main b, main iframe, main svg').length,
      tallest: Math.max(...[...document.querySelectorAll('.messages li')].map((row) => row.offsetHeight)),
      directions: [...document.querySelectorAll('.messages .text')].map((text) => getComputedStyle(text).unicodeBidi),
      rows: [...document.querySelectorAll('.ranking tbody tr')].map((row) => row.offsetHeight),
    }));
    assert.equal(found.harmed, undefined);
    assert.equal(found.elements, 0);
    assert(found.tallest <= 230, `a message is ${found.tallest} px tall`);
    assert(found.directions.every((value) => value === 'isolate'));
    assert(Math.max(...found.rows) <= 60, `rows of rankings: ${found.rows}`);
    assert.equal(await wide(page), 0);
    const ranked = [...(await texts(page, '.words tbody th')), ...(await texts(page, '.users tbody th'))];
    assert(ranked.includes(hostile.script) && ranked.includes(hostile.image), String(ranked));
  });
});

test('a message that is removed later is shown as removed', mockOnly, async () => {
  await visit(`${url}/#/c/xqc`, async (page) => {
    const { rows } = await (await fetch(`${url}/api/v1/channels/xqc/messages?limit=20`)).json();
    const row = rows.findLast((one) => !one.deleted && one.text.length > 5);
    await until('messages', async () => (await texts(page, '.messages li')).length > 20);
    const before = (await texts(page, '.messages .removed')).length;
    mock.remove(row.id);
    await until('one more removed', async () => (await texts(page, '.messages .removed')).length > before);
    const removed = await texts(page, '.messages .removed .text');
    assert(
      removed.every((text) => text === 'message removed'),
      String(removed),
    );
    mock.removeSilently(rows.findLast((one) => !one.deleted && one.id !== row.id).id);
    await until(
      'one more removed, without being told',
      async () => (await texts(page, '.messages .removed .text')).length > removed.length,
    );
  });
});

test('it says when the server is gone, and goes on when it is back', mockOnly, async () => {
  let server = await startMock({ channels: 12 });
  const { port } = server;
  await visit(`${server.url}/`, async (page, { expect }) => {
    expect(
      /Failed to load resource|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/,
    );
    await until('rows', async () => (await names(page)).length === 12);
    await server.close();
    await until('a word about it', async () => (await page.locator('#connection').textContent()) === 'Reconnecting');
    assert.equal((await names(page)).length, 12);
    server = await startMock({ port, channels: 14 });
    await until('live again', async () => (await page.locator('#connection').textContent()) === 'Live');
    await until('what came meanwhile', async () => (await names(page)).length === 14);

    await page.goto(`${server.url}/#/c/xqc`);
    await until('messages', async () => (await texts(page, '.messages li')).length > 0);
    await server.close();
    await until('a word about it', async () => (await page.locator('#connection').textContent()) === 'Reconnecting');
    await page.waitForTimeout(3000);
    server = await startMock({ port, channels: 14 });
    server.requests.length = 0;
    const back = Date.now();
    await until('live again', async () => (await page.locator('#connection').textContent()) === 'Live');
    await until('the minutes and messages of the time between', () =>
      ['rate', 'messages', 'words', 'users'].every((view) =>
        server.requests.some((path) => path.startsWith(`/api/v1/channels/xqc/${view}`)),
      ),
    );
    await until('messages said meanwhile', async () => {
      const times = await page
        .locator('.messages time')
        .evaluateAll((all) => all.map((time) => Date.parse(time.dateTime)));
      return (
        times.some((time) => time < back && time > back - 3000) &&
        String(times) === String([...times].sort((a, b) => a - b))
      );
    });
  });
  await server.close();
});

test('answers that fail are asked for again', mockOnly, async () => {
  const server = await startMock({ channels: 3 });
  await visit(`${server.url}/`, async (page, { expect }) => {
    expect(/Failed to load resource/);
    await page.route('**/api/**', (route) => route.abort());
    await page.reload();
    await until('a word about it', async () =>
      /does not answer. Trying again/.test(await page.locator('.note').textContent()),
    );
    await page.unroute('**/api/**');
    await until('rows', async () => (await names(page)).length === 3);
    await until('no complaint', async () => (await page.locator('.note').textContent()) === '');
  });
  await server.close();
});

test('without channels it says how to start', mockOnly, async () => {
  const server = await startMock({ channels: 0 });
  await visit(`${server.url}/`, async (page) => {
    await page.getByRole('heading', { name: 'No channels yet' }).waitFor();
    assert.match(await page.locator('.empty').textContent(), /hubbub run xqc/);
    assert.equal(await page.locator('table').isVisible(), false);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document));
    assert.deepEqual(
      violations.map(({ id }) => id),
      [],
    );
  });
  await server.close();
});

test('without a store it says so, and goes on once there is one', mockOnly, async () => {
  const server = await startMock({ channels: 3, storeless: true });
  await visit(`${server.url}/`, async (page, { expect }) => {
    expect(/503/);
    await page.getByText('There is no store yet').waitFor();
    await page.goto(`${server.url}/#/c/xqc`);
    await page.getByRole('heading', { name: 'Nothing to show yet' }).waitFor();
    await page.goto(`${server.url}/#/`);
    await page.getByText('There is no store yet').waitFor();
    server.haveStore();
    await until('rows', async () => (await names(page)).length === 3);
    assert.equal(await page.locator('.empty').isVisible(), false);
  });
  await server.close();
});

test('without messages in the range it says so and offers a longer one', mockOnly, async () => {
  const server = await startMock({ quietFor: 2 * 3600 });
  await visit(`${server.url}/#/c/xqc`, async (page) => {
    await page.getByRole('heading', { name: 'No messages in the last hour' }).waitFor();
    await until('empty rankings', async () => (await texts(page, '.ranking .nothing:not([hidden])')).length === 2);
    await page.locator('.empty a').click();
    await until('a chart', async () => (await drawn(page)) > 20);
    assert.match(page.url(), /range=6h$/);
  });
  await server.close();
});

test('five hundred channels leave the page smooth', mockOnly, async (t) => {
  const server = await startMock({ channels: 500 });
  await visit(`${server.url}/`, async (page) => {
    await until('rows', async () => (await names(page)).length === 500);
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const measure = async () =>
      Object.fromEntries(
        (await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]),
      );
    const start = await measure();
    await page.waitForTimeout(5000);
    const end = await measure();
    const share = (name) => (end[name] - start[name]) / (end.Timestamp - start.Timestamp);
    t.diagnostic(
      `scripting ${(share('ScriptDuration') * 100).toFixed(1)} %, everything ${(share('TaskDuration') * 100).toFixed(1)} % of a core`,
    );
    assert(share('ScriptDuration') < 0.2, `scripting takes ${share('ScriptDuration')} of a core`);
  });
  await server.close();
});

test('points of the chart: gaps are zero, long steps are means, nothing before the channel was seen', async () => {
  await visit(`${url}/`, async (page) => {
    const results = await page.evaluate(async () => {
      const { points } = await import('/chart.js');
      const row = (words) => ({ words, messages: words / 10, chatters: 1 });
      const minutes = new Map([
        [600, row(100)],
        [660, row(50)],
        [780, row(20)],
      ]);
      return {
        minutes: points(minutes, {
          fromS: 590,
          toS: 850,
          stepS: 60,
          seenS: 0,
          now: { words: 30, messages: 3, chatters: 2 },
        }),
        steps: points(minutes, { fromS: 600, toS: 1000, stepS: 300, seenS: 0, now: null }),
        unseen: points(minutes, { fromS: 480, toS: 720, stepS: 60, seenS: 605, now: null }),
        partly: points(new Map([[780, row(20)]]), { fromS: 300, toS: 900, stepS: 300, seenS: 785, now: null }),
        none: points(new Map(), { fromS: 600, toS: 630, stepS: 60, seenS: 0, now: null }),
      };
    });
    assert.deepEqual(results.minutes[0], [600, 660, 720, 780, 850]);
    assert.deepEqual(results.minutes[1], [100, 50, 0, 20, null]);
    assert.deepEqual(results.minutes[4], [null, null, null, 20, 30]);
    assert.deepEqual(results.steps[0], [600, 900]);
    assert.deepEqual(results.steps[1], [170 / 5, 0]);
    assert.deepEqual(results.unseen[1], [null, null, 100, 50]);
    assert.deepEqual(results.partly[1], [null, 10]);
    assert.deepEqual(results.none[0], []);
  });
});

test('viewers have a line, a figure and what is on, with its changes', async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    await until('a figure', async () => /\d/.test(await page.locator('.figure-viewers').textContent()));
    await page.locator('button.line-viewers').waitFor();
    await until('what is on', async () => (await page.locator('.stream').textContent()).includes(' · '));
    if (real) return;
    assert.equal(await page.locator('.stream').textContent(), `Just Chatting · ${hostile.image}`);
    const changes = await texts(page, '.changes li');
    assert.equal(changes.length, 3);
    assert.match(changes[0], /^\d\d:\d\d title: <img/);
    assert.match(changes[1], /^\d\d:\d\d live: Just Chatting$/);
    assert.match(changes[2], /^\d\d:\d\d offline$/);
    await page.locator('.canvas').hover();
    await until('a value', async () => /\d/.test(await page.locator('.line-viewers .value').textContent()));
    await page.locator('button.line-viewers').click();
    assert.equal(await page.locator('button.line-viewers').getAttribute('aria-pressed'), 'false');
    assert.equal(await page.evaluate(() => window.harmed), undefined);
  });
});

test('without viewers it says what is missing', mockOnly, async () => {
  await visit(`${url}/#/c/channel_001`, async (page) => {
    await page.getByText('Viewers are not counted: no credentials.').waitFor();
    assert.equal(await page.locator('.figure-viewers').isVisible(), false);
    assert.equal(await page.locator('button.line-viewers').isVisible(), false);
  });
});

test('changes and levels of viewers', async () => {
  await visit(`${url}/`, async (page) => {
    const results = await page.evaluate(async () => {
      const { changesOf, levelsOf } = await import('/viewers.js');
      const row = (s, viewers) => ({ time: new Date(s * 1000).toISOString(), viewers });
      const rows = [row(600, 10), row(660, 20), row(720, 30), row(960, 40), row(1020, 50)];
      const change = (what, game, title) => ({ time: '1970-01-01T00:10:00Z', change: what, viewers: 0, game, title });
      return {
        changes: changesOf([
          change('live', 'Chess', 'a'),
          change('live', '', 'a'),
          change('game', 'Go', 'a'),
          change('game', '', 'a'),
          change('title', 'Go', 'b'),
          change('offline', '', ''),
        ]).map(({ s, what, text }) => `${s} ${what} ${text}`),
        minutes: levelsOf(rows, [600, 660, 720, 780, 1020, 1070.5], 60),
        steps: levelsOf(rows, [600, 900], 300),
        old: levelsOf(rows, [1020, 1300.5], 60),
        nothing: levelsOf([], [600, 630.5], 60),
      };
    });
    assert.deepEqual(results.changes, [
      '600 live live: Chess',
      '600 live live: a',
      '600 game game: Go',
      '600 game game: none',
      '600 title title: b',
      '600 offline offline',
    ]);
    assert.deepEqual(results.minutes, [10, 20, 30, null, 50, 50]);
    assert.deepEqual(results.steps, [20, 45]);
    assert.deepEqual(results.old, [50, null]);
    assert.deepEqual(results.nothing, [null, null]);
  });
});

test('the overview has sparklines, viewers, who takes part, and a mark where a moment just was', async () => {
  await visit(`${url}/`, async (page) => {
    await until('rows', async () => (await names(page)).length > 0);
    const row = page.locator('.channels tbody tr', { has: page.locator(`a[href="#/c/${channel}"]`) });
    assert.match(await row.locator('.spark-line').getAttribute('d'), /^M0 [\d.]+L1 [\d.]+L.*29 [\d.]+$/);
    if (real) return;
    assert.equal(await row.locator('.column-viewers').textContent(), '45,000');
    assert.match(await row.locator('.column-participation').textContent(), /^[\d.]+ %$/);
    const marked = page.locator('.channels tbody tr', { has: page.locator('a[href="#/c/channel_001"]') });
    assert.match(await marked.locator('.badge').textContent(), /^★ [345] min$/);
    assert.equal(await row.locator('.badge').isVisible(), false);
    await page.getByRole('button', { name: 'Viewers' }).click();
    await until('the most watched on top', async () => (await names(page))[0] === channel);
    assert.match(page.url(), /sort=viewers$/);
    await page.getByRole('link', { name: 'Compare' }).click();
    await page.locator('.canvas canvas').waitFor();
    assert.equal((await texts(page, '.compared bdi')).length, 4);
  });
});

test('without viewers, engagement and moments the page goes on', mockOnly, async () => {
  const server = await startMock({ channels: 3, plain: true });
  await visit(`${server.url}/`, async (page, { expect }) => {
    expect(/400/);
    await until('rows', async () => (await names(page)).length === 3);
    assert.equal(await page.locator('th.column-viewers').isVisible(), false);
    await page.goto(`${server.url}/#/c/xqc?bots=1`);
    await until('a chart', async () => (await drawn(page)) > 20);
    await until('users', async () => (await texts(page, '.users tbody tr')).length > 3);
    assert.equal(await page.locator('.moments-row').isVisible(), false);
    assert.equal(await page.locator('.engagement').isVisible(), false);
  });
  await server.close();
});

test('a moment leads to what was said in it; messages are searched by text and user, page by page', async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    const found = page.locator('.found li');
    const note = () => page.locator('.found .note').textContent();
    if (!real) {
      const moment = page.locator('.moments a').first();
      await moment.waitFor();
      assert.match(await moment.textContent(), /^\d\d:\d\d×[\d.]+<img/);
      const minute = Date.parse(await moment.locator('time').getAttribute('datetime'));
      await moment.click();
      await found.first().waitFor();
      const times = await page.locator('.found time').evaluateAll((all) => all.map((time) => Date.parse(time.dateTime)));
      assert(times.every((time) => time >= minute && time < minute + 60000));
      assert.match(page.url(), /\?at=\d{4}-\d\d-\d\dT\d\d:\d\dZ$/);
      assert.equal(await page.locator('.feed .live').isVisible(), false);
      await page.getByRole('button', { name: 'Back to live' }).click();
      await page.locator('.feed .live').waitFor();
    }
    await page.getByRole('button', { name: 'Search' }).click();
    await page.keyboard.type('e');
    await page.keyboard.press('Enter');
    await until('an answer', async () => /found in the last hour/.test(await note()));
    await until('messages', async () => (await found.count()) > 0);
    assert((await texts(page, '.found .text')).every((text) => /e/i.test(text) || text === 'message removed'));
    assert.match(page.url(), /\?find=e$/);
    if (real) return;
    assert.equal(await found.count(), 100);
    await page.getByRole('button', { name: 'Earlier messages' }).click();
    await until('more', async () => (await found.count()) === 200);
    const times = await page.locator('.found time').evaluateAll((all) => all.map((time) => time.dateTime));
    assert.deepEqual(times, [...times].sort());
    await page.getByLabel('User whose').fill('@Chatter_5');
    await page.keyboard.press('Enter');
    await until('one user', async () => (await texts(page, '.found .name')).every((name) => name === '수진'));
    assert.match(page.url(), /\?find=e&user=chatter_5$/);
    await page.getByLabel('Text to').fill('no such text');
    await page.keyboard.press('Enter');
    await until('nothing', async () => /^Nothing found/.test(await note()));
    await page.goBack();
    await until('what was found before', async () => (await found.count()) > 0);
  });
});

test('the chart zooms and pans by mouse, keys and buttons, and the address keeps the range', async () => {
  await visit(`${url}/#/c/${channel}?range=6h`, async (page) => {
    await page.locator('.canvas canvas').waitFor();
    const range = () => {
      const parameters = new URLSearchParams(page.url().split('?')[1]);
      return ['from', 'to'].map((name) => Date.parse(parameters.get(name)) / 60000);
    };
    const { x, y, width, height } = await page.locator('.canvas .u-over').boundingBox();
    await page.mouse.move(x + width * 0.25, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.75, y + height / 2, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=.*to=/);
    const [from, to] = range();
    assert(to > from && to <= Date.now() / 60000, page.url());
    if (!real) assert(Math.abs(to - from - 180) < 5, page.url());
    await page.locator('.switch-range [aria-current]').getByText('Pick').waitFor();
    if (real) return;
    await page.locator('.canvas').focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL((address) => !address.href.includes(new Date(from * 60000).toISOString().slice(0, 16)));
    assert(Math.abs(range()[0] - (from - 45)) <= 2, page.url());
    await page.getByRole('button', { name: 'Nearer' }).click();
    await until('half as long', () => Math.abs(range()[1] - range()[0] - 90) < 5);
    await until('a chart', async () => (await drawn(page)) > 20);
    await page.reload();
    await until('a chart', async () => (await drawn(page)) > 20);
    await page.locator('.pick summary').click();
    await page.getByLabel('From', { exact: true }).fill('2024-01-08T10:00');
    await page.getByLabel('To', { exact: true }).fill('2024-01-08T12:00');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('heading', { name: /^No messages in the time from .*10:00 to .*12:00/ }).waitFor();
    assert.equal(range()[1] - range()[0], 120);
  });
});

test('a year is a few hundred points, and says what was recounted', mockOnly, async () => {
  await visit(`${url}/#/c/${channel}?range=365d`, async (page) => {
    mock.requests.length = 0;
    await page.reload();
    await until('a chart', async () => (await drawn(page)) > 20);
    assert(mock.requests.some((path) => /\/rate\?from=-365d&step=86400&/.test(path)), String(mock.requests));
    await page.goto(`${url}/#/c/${channel}?range=6h`);
    await until('a chart', async () => (await drawn(page)) > 20);
    const { x, y, height } = await page.locator('.canvas .u-over').boundingBox();
    await page.mouse.move(x + 5, y + height / 2);
    await until('the layer', async () => /recounted$/.test(await page.locator('.timeline .moment').textContent()));
  });
});

test('words say how they changed, users show bots on demand, engagement says what it means', mockOnly, async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    await until('changes', async () => (await texts(page, '.words td.column-change')).some((text) => /^×\d/.test(text)));
    assert((await texts(page, '.words td.column-change')).includes('new'));
    assert(!(await texts(page, '.users tbody th')).includes('Nightbot'));
    await page.getByRole('link', { name: 'Bots' }).click();
    await until('a bot', async () => (await texts(page, '.users tbody th'))[0] === 'Nightbot');
    assert.match(page.url(), /\?bots=1$/);
    await page.getByRole('link', { name: 'Bots' }).click();
    await until('no bot', async () => !(await texts(page, '.users tbody th')).includes('Nightbot'));
    const figures = await texts(page, '.engagement div');
    assert.deepEqual(
      figures.map((text) => text.replace(/[\d.,]+( %)?$/, 'N$1')),
      [
        'messages/min per 100 viewersN',
        'take partN %',
        'newN',
        'returning a minuteN',
        'by subscribersN %',
      ],
    );
    assert.match(await page.locator('.engagement div').nth(1).getAttribute('title'), /last 10 minutes/);
  });
});

test('up to four channels are compared on one chart', async () => {
  await visit(`${url}/#/compare/${channel}`, async (page, { expect }) => {
    expect(/404/);
    const legend = () => texts(page, '.compared bdi');
    await page.locator('.canvas canvas').waitFor();
    await until('a value', async () => /\d/.test(await page.locator('.compared .value').first().textContent()));
    await page.getByLabel('Add a channel').fill('Never_Seen_Here');
    await page.keyboard.press('Enter');
    await until('two', async () => (await legend()).length === 2);
    await page.getByText('was never seen').waitFor();
    await page.getByRole('link', { name: 'Remove never_seen_here' }).click();
    await until('one', async () => String(await legend()) === channel);
    if (real) return;
    for (const name of ['channel_001', 'channel_002', 'channel_003']) {
      await page.getByLabel('Add a channel').fill(name);
      await page.keyboard.press('Enter');
    }
    await until('four', async () => (await legend()).length === 4);
    assert.equal(await page.getByLabel('Add a channel').isVisible(), false);
    await page.getByRole('link', { name: 'Viewers' }).click();
    await page.getByRole('link', { name: '24 h' }).click();
    await until('viewers of one', async () => /\d/.test((await texts(page, '.compared .value'))[0]));
    assert.match(page.url(), /#\/compare\/xqc,channel_001,channel_002,channel_003\?range=24h&measure=viewers$/);
    await page.reload();
    await until('four', async () => (await legend()).length === 4);
    await page.locator('.canvas').focus();
    await page.keyboard.press('-');
    await page.waitForURL(/from=/);
    await page.getByRole('link', { name: 'channel_002', exact: true }).click();
    await page.locator('.view.channel').waitFor();
  });
});

test('ranges, changes of words, engagement and columns of a comparison', async () => {
  await visit(`${url}/`, async (page) => {
    const results = await page.evaluate(async () => {
      const { pick, spanOf, stepFor, readTime, writeTime } = await import('/ranges.js');
      const { before, changes } = await import('/change.js');
      const { engagementOf } = await import('/engagement.js');
      const { momentsOf } = await import('/moments.js');
      const { columnOf } = await import('/compare.js');
      const iso = (s) => new Date(s * 1000).toISOString();
      const rank = (word, count) => ({ kind: 'word', word, count });
      const answer = { from: iso(7200), to: iso(14400), rows: [rank('a', 100), rank('b', 50), rank('c', 20), rank('d', 3)] };
      const old = { rows: [rank('a', 200), rank('b', 20), rank('d', 90)] };
      return {
        steps: [900, 21600, 86400, 7 * 86400, 30 * 86400, 365 * 86400].map(stepFor),
        live: spanOf({ range: '24h' }, 100000),
        picked: [pick(1000, 8000, 10000), pick(8000, 20000, 10000), pick(1000, 1010, 10000), pick(-5, 4, 10000)],
        times: [writeTime(1764000000), readTime('2025-11-24T16:00Z'), readTime('soon'), readTime('2025-13-24T16:00Z')],
        before: before(answer),
        whole: [...changes(answer, old, 500, 14400000)],
        half: [...changes(answer, old, 500, 10800000)],
        full: [...changes(answer, { rows: [rank('a', 200), rank('b', 20)] }, 2, 14400000)],
        beyond: [...changes(answer, { rows: [rank('a', 200), rank('b', 5)] }, 2, 14400000)],
        none: [...changes(answer, { rows: [] }, 500, 14400000)],
        engagement: engagementOf([
          { messages: 10, messages_per_100_viewers: 1, participation: 0.5, new_chatters: 1, returning_chatters: 4, subscriber_share: 0.5 },
          { messages: 30, messages_per_100_viewers: null, participation: 0.25, new_chatters: 2, returning_chatters: 8, subscriber_share: 0.1 },
          { messages: 0, messages_per_100_viewers: 3, participation: null, new_chatters: 0, returning_chatters: 0, subscriber_share: null },
        ]),
        nothing: Object.values(engagementOf([])),
        moments: momentsOf([{ time: iso(60), score: 1 }, { time: iso(120), score: 9 }, { time: iso(180), score: 5 }, { time: '?' }], 2).map(({ s }) => s),
        column: columnOf([{ time: iso(600), messages: 50, chatters: 7 }], 'messages', [300, 600, 900], 300),
        chatters: columnOf([{ time: iso(600), messages: 50, chatters: 7 }], 'chatters', [300, 600, 900], 300),
      };
    });
    assert.deepEqual(results.steps, [60, 60, 300, 1800, 7200, 86400]);
    assert.deepEqual([results.live.fromS, results.live.toS, results.live.stepS, results.live.query], [13600, 100000, 300, { from: '-24h' }]);
    assert.deepEqual(
      results.picked.map(({ from, to }) => [from, to]),
      [
        [960, 7980],
        [-2040, 9960],
        [840, 1140],
        [0, 300],
      ],
    );
    assert.deepEqual(results.times, ['2025-11-24T16:00Z', 1764000000, null, null]);
    assert.deepEqual(results.before, { from: 0, to: 7200 });
    assert.deepEqual(results.whole, [['word a', '×0.5'], ['word b', '×2.5'], ['word c', 'new'], ['word d', '×0.03']]);
    assert.deepEqual(results.half, [['word b', '×5.0'], ['word c', 'new'], ['word d', '×0.07']]);
    assert.deepEqual(results.full, [['word a', '×0.5'], ['word b', '×2.5']]);
    assert.deepEqual(results.beyond, [['word a', '×0.5'], ['word b', '×10'], ['word c', '>×4.0']]);
    assert.deepEqual(results.none, []);
    assert.deepEqual(results.engagement, {
      messages_per_100_viewers: 2,
      participation: 0.25,
      new_chatters: 3,
      returning_chatters: 4,
      subscriber_share: 0.2,
    });
    assert.deepEqual(results.nothing, [null, null, null, null, null]);
    assert.deepEqual(results.moments, [120, 180]);
    assert.deepEqual(results.column, [null, 10, 0]);
    assert.deepEqual(results.chatters, [null, 7, 0]);
  });
});

test('numbers and times as people read them', async () => {
  await visit(`${url}/`, async (page) => {
    const results = await page.evaluate(async () => {
      const { ago, compact, count, harmless } = await import('/format.js');
      const now = 1e12;
      return {
        ages: [0, 4, 12, 59, 60, 3599, 3600, 172799, 172800].map((s) => ago(now - s * 1000, now)),
        future: ago(now + 5000, now),
        numbers: [count(1234567), count(12.6), count(null), compact(99999), compact(123456)],
        text: harmless('a\u0000\u202Eb\u0085'),
        marks: harmless(`e${'\u0301'.repeat(50)} प्रार्थना`),
        nothing: harmless(null),
      };
    });
    assert.deepEqual(results.ages, ['now', 'now', '10 s', '55 s', '1 min', '59 min', '1 h', '47 h', '2 d']);
    assert.equal(results.future, 'now');
    assert.deepEqual(results.numbers, ['1,234,567', '13', '–', '99,999', '123K']);
    assert.equal(results.text, 'a␀b\ufffd');
    assert.equal(results.marks, `e${'\u0301'.repeat(4)} प्रार्थना`);
    assert.equal(results.nothing, '');
  });
});
