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

async function until(what, condition, ms = 10000) {
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
const names = (page) => texts(page, '.channels tbody th');
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
    assert.equal(await page.locator('.switch-range [aria-current]').textContent(), '24 h');
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
    await page.locator('.feed .scroller').hover();
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
    assert(paint < 2000, `${paint} ms`);
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
      20000,
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
    await until('live again', async () => (await page.locator('#connection').textContent()) === 'Live', 20000);
    await until('what came meanwhile', async () => (await names(page)).length === 14);

    await page.goto(`${server.url}/#/c/xqc`);
    await until('messages', async () => (await texts(page, '.messages li')).length > 0);
    await server.close();
    await until('a word about it', async () => (await page.locator('#connection').textContent()) === 'Reconnecting');
    await page.waitForTimeout(3000);
    server = await startMock({ port, channels: 14 });
    server.requests.length = 0;
    const back = Date.now();
    await until('live again', async () => (await page.locator('#connection').textContent()) === 'Live', 20000);
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
    await until('rows', async () => (await names(page)).length === 3, 20000);
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
    await until('a figure', async () => /\d/.test(await page.locator('.figure-viewers').textContent()), real ? 40000 : 10000);
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
