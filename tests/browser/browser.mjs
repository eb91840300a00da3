// Chromium for the tests: Debian's own, without the network services of its maker.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

export const executable =
  process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export function launch() {
  return chromium.launch({
    executablePath: executable,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  });
}

// A page that keeps account of what should never happen: errors, violations of the policy, dialogs, foreign requests.
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    ...options,
  });
  context.setDefaultTimeout(90000);
  const page = await context.newPage();
  const faults = [];
  let expected = [];
  const fault = (text) => {
    if (!expected.some((pattern) => pattern.test(text))) faults.push(text);
  };
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && fault(`console: ${message.text()}`));
  page.on('pageerror', (error) => fault(`exception: ${error.stack}`));
  page.on('dialog', (dialog) => {
    fault(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => {
    const origin = new URL(request.url());
    if (origin.protocol !== 'data:' && origin.origin !== new URL(url).origin) fault(`request: ${request.url()}`);
  });
  await page.addInitScript(() =>
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    ),
  );
  await page.goto(url);
  return { context, page, faults, expect: (...patterns) => (expected = patterns) };
}
