// Opens the dashboard of a running hubbub (HUBBUB_URL), sees its numbers move, and saves pictures of it for the README
// into the folder SCREENSHOTS: overview.png and channel.png.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { launch, openPage } from './browser.mjs';

const url = process.env.HUBBUB_URL;
const folder = process.env.SCREENSHOTS;
if (!url || !folder) {
  console.error('usage: HUBBUB_URL=http://127.0.0.1:8080/ SCREENSHOTS=FOLDER node demo.mjs');
  process.exit(2);
}
await mkdir(folder, { recursive: true });
const browser = await launch();
try {
  const { page, faults } = await openPage(browser, new URL('/', url).href);

  const moves = async (what, selector) => {
    await page.locator(selector).first().waitFor();
    const text = () =>
      page
        .locator(selector)
        .allTextContents()
        .then((all) => all.join(' '));
    const before = await text();
    const start = Date.now();
    while ((await text()) === before) {
      assert(Date.now() - start < 60000, `${what} did not move within a minute: ${before}`);
      await page.waitForTimeout(100);
    }
    console.log(`${what}: moved after ${((Date.now() - start) / 1000).toFixed(1)} s`);
  };

  await moves('rates of all channels', '.channels td.column-messages_per_minute');
  await page.mouse.move(5, 400);
  await page.waitForTimeout(Number(process.env.SETTLE_MS ?? 4000));
  await page.screenshot({ path: path.join(folder, 'overview.png') });

  // One with a moment just now has most to show.
  const marked = page.locator('.channels tbody tr:has(.badge:not([hidden])) th a');
  await ((await marked.count()) ? marked : page.locator('.channels tbody th a')).first().click();
  await page.locator('.chart canvas').waitFor();
  await moves('words a minute', '.view.channel .figures dd');
  await moves('messages', '.messages li:last-child');
  await moves('frequent words', '.words td.column-count');
  await moves('active users', '.users td.column-messages');
  await page.mouse.move(5, 400);
  await page.evaluate(() => document.activeElement?.blur());
  await page.waitForTimeout(1500);
  await page.screenshot({ path: path.join(folder, 'channel.png') });
  assert.deepEqual(faults, []);
} finally {
  await browser.close();
}
