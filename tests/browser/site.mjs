// What every test of the dashboard stands on: a browser, and the mock server beside this file. With HUBBUB_URL it is a running
// hubbub instead, and what only a mock can do (say hostile things, go away, know no channel) is skipped.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { launch, openPage } from './browser.mjs';
import { startMock } from './mock_server.mjs';

export const real = process.env.HUBBUB_URL && new URL('/', process.env.HUBBUB_URL).href.replace(/\/$/, '');
export const mockOnly = { skip: real ? 'needs the mock server' : false };
export const phone = { viewport: { width: 375, height: 720 }, hasTouch: true, isMobile: true };

export let browser;
export let mock;
export let url;
export let channel; // a busy one, whose viewers are known

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
export async function visit(address, use, options) {
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
export async function until(what, condition, ms = 90000) {
  const end = Date.now() + ms;
  for (;;) {
    const last = await condition();
    if (last) return last;
    assert(Date.now() < end, `not within ${ms / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const texts = (page, selector) => page.locator(selector).allTextContents();
export const rates = (page) => texts(page, '.channels td.column-messages_per_minute');
export const names = (page) => texts(page, '.channels tbody th a');
export const isLive = (page) => page.locator('#connection[data-state=live]').waitFor();
export const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// How many pixels of the chart are drawn in about the colour of a line: that of its words, if nothing else is said.
export const drawn = (page, colour = '--words') =>
  page.evaluate((name) => {
    const canvas = document.querySelector('.chart canvas');
    if (!canvas) return 0;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.fillStyle = getComputedStyle(canvas).getPropertyValue(name);
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
  }, colour);
