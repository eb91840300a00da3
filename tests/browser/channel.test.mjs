// One channel.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostile, startMock } from './mock_server.mjs';
import { channel, drawn, isLive, mock, mockOnly, names, phone, real, texts, until, url, visit, wide } from './site.mjs';

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

// ---- Emote images ----

const imagesFrom = 'https://static-cdn.jtvnw.net/';
const image = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAYAAAByDd+UAAAAa0lEQVR42mNgGKzgwyqN//gw3SyimsWkWkSRxZRaRpKl1LKMKEupbRlBS+lqIa0s' +
    'w2kpHoVwTKEa4nxHLQtRLB1UFtIkHkctHLWQrMw/aEqaIVmeDp7qie4V8IA0MQakETUgzcQBawhTGwAAyg+vxHkIaGQAAAAASUVORK5CYII=',
  'base64',
);

// Stands in for Twitch's images; returns the list of what is asked of them.
async function serveImages(page, answer) {
  const asked = [];
  await page.route(`${imagesFrom}**`, (route) => {
    asked.push(route.request().url());
    return answer(route);
  });
  return asked;
}

test('emote images come only while the reader wants them, from one place, and nothing jumps', async () => {
  await visit(`${url}/#/c/${channel}`, async (page, { expect }) => {
    expect(/^request: https:\/\/static-cdn\.jtvnw\.net\/emoticons\/v2\/\w+\/default\/(light|dark)\/1\.0$/);
    const asked = await serveImages(page, (route) => route.fulfill({ contentType: 'image/png', body: image }));
    const images = (within) => page.locator(`${within} img.emote`);
    const button = page.getByRole('button', { name: 'Emote images' });
    await until('messages', async () => (await texts(page, '.messages li')).length > 20);
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    assert.equal(await page.locator('main img').count(), 0);
    assert.deepEqual(asked, []);

    await button.click();
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    await until('an image that came', () =>
      images('.messages').evaluateAll((all) => all.some(({ complete, naturalWidth }) => complete && naturalWidth > 0)),
    );
    const made = await images('.messages').evaluateAll((all) =>
      all.map((one) => [one.alt !== '' && one.alt === one.title, one.loading, one.offsetWidth, one.offsetHeight].join()),
    );
    assert.deepEqual([...new Set(made)], ['true,lazy,22,22']);
    assert(asked.length > 0 && asked.every((address) => address.includes('/default/light/')), String(asked));

    await page.getByRole('navigation', { name: 'Kind of words' }).getByRole('link', { name: 'Emotes' }).click();
    await until('images in the ranking', async () => (await images('.words th').count()) > 0);
    const heights = await page.locator('.words tbody tr').evaluateAll((rows) => rows.map((row) => Math.round(row.offsetHeight)));
    assert(Math.max(...heights) - Math.min(...heights) <= 1, String(heights));
    await page.getByRole('button', { name: 'Theme: auto' }).click();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    await until('images for dark ground', () => asked.some((address) => address.includes('/default/dark/')));

    await page.reload();
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    await until('images again', async () => (await images('.messages').count()) > 0);
    if (!real) {
      await page.goto(`${url}/#/c/${channel}?find=kappa`);
      await until('images among what was found', async () => (await images('.found').count()) >= 3);
    }
    await button.click();
    assert.equal(await page.locator('main img').count(), 0);
    if (!real) assert((await texts(page, '.found .text')).some((text) => text === 'Kappa Kappa Kappa'));
    await page.reload();
    await until('words', async () => (await texts(page, '.words tbody tr')).length > 3);
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    assert.equal(await page.locator('main img').count(), 0);
  });
});

test('places and ids of emotes that are none harm nothing', mockOnly, async () => {
  await visit(`${url}/#/c/${channel}`, async (page, { expect }) => {
    expect(/^request: https:\/\/static-cdn\.jtvnw\.net\/emoticons\/v2\/\w+\/default\/light\/1\.0$/);
    const asked = await serveImages(page, (route) => route.fulfill({ contentType: 'image/png', body: image }));
    await until('messages', async () => (await texts(page, '.messages li')).length > 20);
    await page.getByRole('button', { name: 'Emote images' }).click();
    const text = `ok 😀 Kappa ${hostile.image} \u202Eend`;
    const place = (id, begin, end) => ({ id, begin, end });
    mock.say(channel, text, {
      emotes: [
        place('../../../evil', 0, 2),
        place('25/../9', 0, 2),
        place('25?x', 0, 2),
        place('"onerror="harmed=1', 0, 2),
        place('', 0, 2),
        place(null, 0, 0),
        place('25', -1, 2),
        place('25', 2, 1),
        place('25', 0.5, 2),
        place('25', 0, 1e9),
        place('25', '0', '2'),
        place('25', 5, 10), // the one that is right
        place('9', 7, 9), // inside of it
      ],
    });
    const row = page.locator('.messages li', { hasText: 'window.harmed = 2' }).filter({ has: page.locator('img') });
    await row.waitFor();
    assert.deepEqual(
      await row.locator('img').evaluateAll((all) => all.map(({ src, alt }) => `${src} ${alt}`)),
      [`${imagesFrom}emoticons/v2/25/default/light/1.0 Kappa`],
    );
    assert.equal(await row.locator('.text').textContent(), `ok 😀  ${hostile.image} end`);
    // The mock's KEKW has an id that leads elsewhere.
    await until('a message with it', async () => (await texts(page, '.messages .text')).some((one) => one.includes('KEKW')));
    assert.equal(await page.locator('img[title=KEKW]').count(), 0);
    assert(asked.every((address) => /\/v2\/[A-Za-z0-9_]+\/default\/light\/1\.0$/.test(address)), String(asked));
    assert.equal(await page.evaluate(() => window.harmed), undefined);
  });
});

test('where an emote’s image does not come its name stays, and it is not asked for again', mockOnly, async () => {
  await visit(`${url}/#/c/${channel}`, async (page, { expect }) => {
    expect(/^request: https:\/\/static-cdn\.jtvnw\.net\//, /Failed to load resource/);
    const asked = await serveImages(page, (route) => route.abort());
    await until('messages', async () => (await texts(page, '.messages li')).length > 20);
    await page.getByRole('button', { name: 'Emote images' }).click();
    // Of an emote that nobody else uses: messages that are out of sight ask for theirs only when they are seen.
    const shown = async (text) => (await texts(page, '.messages .text')).includes(text);
    const say = (text) => mock.say(channel, text, { emotes: [{ id: 'unique_1', begin: 0, end: 7 }] });
    const times = () => asked.filter((address) => address.includes('/v2/unique_1/')).length;
    say('MyEmote first');
    await until('its name', async () => (await shown('MyEmote first')) && times() === 1);
    say('MyEmote second');
    await until('its name again', () => shown('MyEmote second'));
    assert.equal(await page.locator('img[title=MyEmote]').count(), 0);
    assert.equal(times(), 1);
  });
});

// ---- Moving the chart ----

const minutesOf = (page) => {
  const parameters = new URLSearchParams(page.url().split('?')[1]);
  return ['from', 'to'].map((name) => Date.parse(parameters.get(name)) / 60000);
};

// The moves are of six hours; a minute or two is lost where the drawing begins and ends.
const near = (a, b) => Math.abs(a - b) <= 4;

test('the chart is moved with Shift, the middle button and the wheel, not into the future', mockOnly, async () => {
  await visit(`${url}/#/c/${channel}?range=6h`, async (page) => {
    await until('a chart', async () => (await drawn(page)) > 20);
    const { x, y, width, height } = await page.locator('.canvas .u-over').boundingBox();
    const drag = async (share, button) => {
      await page.mouse.move(x + width * 0.5, y + height / 2);
      await page.mouse.down({ button });
      await page.mouse.move(x + width * (0.5 + share), y + height / 2, { steps: 5 });
      await page.mouse.up({ button });
    };
    const address = page.url();
    await page.keyboard.down('Shift');
    await drag(-0.25, 'left'); // there is nothing later than now
    await drag(0, 'left');
    await page.keyboard.up('Shift');
    assert.equal(page.url(), address);
    await page.keyboard.down('Shift');
    await drag(0.25, 'left');
    await page.keyboard.up('Shift');
    await page.waitForURL(/from=.*to=/);
    const nowMinute = Date.now() / 60000;
    const first = minutesOf(page);
    assert(near(first[1] - first[0], 360) && near(first[1], nowMinute - 90), page.url());
    await until('a chart', async () => (await drawn(page)) > 20);
    await drag(0.1, 'middle');
    await until('36 minutes earlier', () => near(minutesOf(page)[0], first[0] - 36));
    await until('a chart', async () => (await drawn(page)) > 20);
    const second = minutesOf(page);
    await page.keyboard.down('Shift');
    await page.mouse.wheel(0, 100);
    await page.mouse.wheel(0, 100);
    await page.keyboard.up('Shift');
    const turned = (200 / width) * 360;
    await until('later by two turns', () => near(minutesOf(page)[0], second[0] + turned));
    assert(near(minutesOf(page)[1] - minutesOf(page)[0], 360), page.url());
    assert.match(await page.getByRole('button', { name: 'Earlier' }).getAttribute('title'), /Shift.*middle button.*wheel.*fingers/);
    assert.equal(await page.locator('.u-select').evaluate(({ offsetWidth }) => offsetWidth), 0);
    const { width: chosen } = await page.locator('.canvas .u-over').boundingBox();
    assert.equal(chosen, width);
  });
});

test('two fingers move the chart, and bring it nearer', mockOnly, async () => {
  await visit(
    `${url}/#/c/${channel}?range=6h`,
    async (page) => {
      await until('a chart', async () => (await drawn(page)) > 20);
      const over = page.locator('.canvas .u-over');
      await over.scrollIntoViewIfNeeded();
      const session = await page.context().newCDPSession(page);
      const fingers = async (from, to) => {
        const { x, y, width, height } = await over.boundingBox();
        const points = (shares) => shares.map((share, id) => ({ x: x + width * share, y: y + height / 2, id }));
        const send = (type, touchPoints) => session.send('Input.dispatchTouchEvent', { type, touchPoints });
        await send('touchStart', points(from));
        for (const part of [0.5, 1]) await send('touchMove', points(from.map((share, i) => share + (to[i] - share) * part)));
        await send('touchEnd', []);
      };
      await fingers([0.3, 0.6], [0.5, 0.8]);
      await page.waitForURL(/from=.*to=/);
      const [from, to] = minutesOf(page);
      assert(near(to - from, 360) && near(to, Date.now() / 60000 - 72), page.url());
      await until('a chart', async () => (await drawn(page)) > 20);
      await fingers([0.4, 0.6], [0.3, 0.7]);
      await until('half as long', () => near(minutesOf(page)[1] - minutesOf(page)[0], 180));
      assert(near((minutesOf(page)[0] + minutesOf(page)[1]) / 2, (from + to) / 2), page.url());
      assert.equal(await wide(page), 0);
    },
    phone,
  );
});

test('who takes part is a line of the chart that can be switched on, up to a day', async () => {
  await visit(`${url}/#/c/${channel}`, async (page) => {
    await until('a chart', async () => (await drawn(page)) > 20);
    const button = page.locator('button.line-participation');
    await button.waitFor();
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    if (!real) assert.equal(await drawn(page, '--participation'), 0);
    await button.click();
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    if (!real) {
      await until('a line', async () => (await drawn(page, '--participation')) > 20);
      assert.equal(await button.locator('.value').textContent(), '4.2 %');
    }
    await page.getByRole('link', { name: '7 d' }).click();
    await until('no such line', async () => !(await button.isVisible()));
    await page.getByRole('link', { name: '24 h' }).click();
    await button.waitFor();
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    if (!real) await until('a line', async () => (await drawn(page, '--participation')) > 20);
    await button.click();
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    if (!real) await until('no line', async () => (await drawn(page, '--participation')) === 0);
  });
});
