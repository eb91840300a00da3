// Looks at a channel of a running hubbub (HUBBUB_URL) while somebody kills it and starts it again; says what it sees, a
// word a line: live, reconnecting, live, and at last "in order" once messages from before, between and after stand there so.

import assert from 'node:assert/strict';
import { launch, openPage } from './browser.mjs';

const browser = await launch();
try {
  const { page } = await openPage(browser, new URL('/', process.env.HUBBUB_URL).href);
  await page.locator('.channels tbody tr a').first().click();
  const state = (name) => page.locator(`#connection[data-state=${name}]`).waitFor({ timeout: 60000 });
  const times = () => page.locator('.messages time').evaluateAll((all) => all.map((time) => Date.parse(time.dateTime)));

  await page.locator('.messages li').nth(5).waitFor();
  await state('live');
  console.log('live');
  await state('reconnecting');
  const lost = (await times()).at(-1);
  console.log('reconnecting');
  await state('live');
  console.log('live');
  const end = Date.now() + 30000;
  while (!((await times()).at(-1) > lost)) {
    assert(Date.now() < end, 'no new message within 30 s');
    await page.waitForTimeout(100);
  }
  const shown = await times();
  assert.deepEqual(
    shown,
    [...shown].sort((a, b) => a - b),
  );
  console.log('in order');
} finally {
  await browser.close();
}
