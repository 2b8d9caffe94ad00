// SPDX-License-Identifier: GPL-2.0-or-later
// A browser with an exported site: for the tests and for screenshots.
import { existsSync } from 'node:fs';

const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

// Returns { browser } or { why }: what is missing, and what to install.
export async function open() {
  const executablePath = [process.env.CHROMIUM, ...CHROMIUMS].find((p) => p && existsSync(p));
  let playwright;
  if (!executablePath)
    return { why: 'no chromium: apt-get install chromium' };
  try {
    playwright = await import('playwright-core');
  } catch {
    return { why: 'playwright-core is not installed: npm ci in tests/browser' };
  }
  const browser = await playwright.chromium.launch({
    executablePath,
    // The pages are ours and local; a container's root has no sandbox.
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
  return { browser };
}

// @base: of a server; else pages are files. Every request that leaves the site is noted and refused.
export async function page(browser, options = {}, base = 'file:') {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const outside = [];
  await context.route((url) => !url.href.startsWith(base) && url.protocol !== 'data:', (route) => {
    outside.push(route.request().url());
    return route.abort();
  });
  const p = await context.newPage();
  return { page: p, context, outside };
}
