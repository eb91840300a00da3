// All channels, the comparison, and what is the same in every view.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { openPage } from './browser.mjs';
import { startMock } from './mock_server.mjs';
import { browser, channel, drawn, isLive, mockOnly, names, phone, rates, real, texts, until, url, visit, wide } from './site.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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
      // A demo may not have had a whole minute yet.
      ...(theme === 'dark' ? [] : [[`/#/compare/${channel},never_seen_here`, real ? '.compare .note' : '.canvas canvas']]),
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
        late: levelsOf(rows, [1020, 1080, 1200, 1215.5], 60),
        old: levelsOf(rows, [1020, 1260, 1300.5], 60),
        other: levelsOf([{ time: new Date(600000).toISOString(), part: 0.5 }], [540, 600, 660], 60, 60, undefined, 'part'),
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
    assert.deepEqual(results.late, [50, 50, 50, 50]);
    assert.deepEqual(results.old, [50, null, null]);
    assert.deepEqual(results.other, [null, 0.5, 0.5]);
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

test('before the first whole minute is over the comparison says so', async () => {
  await visit(`${url}/`, async (page) => {
    const row = () => ({ time: new Date(Math.floor(Date.now() / 60000) * 60000).toISOString(), messages: 3, words: 9, chatters: 2 });
    await page.route('**/api/v1/channels/*/rate?**', (route) => route.fulfill({ json: { rows: [row()] } }));
    await page.goto(`${url}/#/compare/${channel}`);
    await page.getByText('The first whole minute is not over yet.').waitFor();
    assert.equal(await page.locator('.canvas').isVisible(), false);
    assert.deepEqual(await texts(page, '.compared bdi'), [channel]);
    if (real) return;
    await page.unroute('**/api/v1/channels/*/rate?**');
    await page.locator('.canvas canvas').waitFor();
    assert.equal(await page.locator('.compare .note').textContent(), '');
  });
});

test('ranges, changes of words, engagement and columns of a comparison', async () => {
  await visit(`${url}/`, async (page) => {
    const results = await page.evaluate(async () => {
      const { moved, pick, spanOf, stepFor, readTime, writeTime } = await import('/ranges.js');
      const { before, changes } = await import('/change.js');
      const { engagementOf } = await import('/engagement.js');
      const { momentsOf } = await import('/moments.js');
      const { columnOf, whyNothing } = await import('/compare.js');
      const iso = (s) => new Date(s * 1000).toISOString();
      const rank = (word, count) => ({ kind: 'word', word, count });
      const answer = { from: iso(7200), to: iso(14400), rows: [rank('a', 100), rank('b', 50), rank('c', 20), rank('d', 3)] };
      const old = { rows: [rank('a', 200), rank('b', 20), rank('d', 90)] };
      return {
        steps: [900, 21600, 86400, 7 * 86400, 30 * 86400, 365 * 86400].map(stepFor),
        live: spanOf({ range: '24h' }, 100000),
        picked: [pick(1000, 8000, 10000), pick(8000, 20000, 10000), pick(1000, 1010, 10000), pick(-5, 4, 10000)],
        moved: [moved({ range: '1h', from: null }, 1000, 8000, 10000).to, moved({ range: 'picked', from: 960, to: 7980 }, 1000, 8000, 10000)],
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
        why: [
          [[[{ time: iso(600) }]], [[1, null]], 'messages', 60],
          [[[{ time: iso(600) }], []], [[null], [null]], 'words', 60],
          [[[{ time: iso(600) }]], [[null]], 'words', 300],
          [[[{ time: iso(600) }]], [[null]], 'viewers', 86400],
          [[[{ time: iso(0) }]], [[null]], 'words', 60],
          [[[]], [[null]], 'messages', 60],
          [[[]], [[null]], 'viewers', 60],
        ].map(([rows, columns, measure, stepS]) => whyNothing(rows, columns, measure, { said: 'last hour', stepS, toS: 650 })),
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
    assert.deepEqual(results.moved, [7980, null]);
    assert.deepEqual(results.why, [
      '',
      'The first whole minute is not over yet.',
      'The first whole step of 5 min is not over yet.',
      'The first whole day is not over yet.',
      'No messages in the last hour.',
      'No messages in the last hour.',
      'No viewers are known in the last hour.',
    ]);
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
