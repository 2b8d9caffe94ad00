// SPDX-License-Identifier: GPL-2.0-or-later
// screenshots SITE DIR: the overview, the newest run and the flakes page of an
// exported site, in light and dark, at two widths. Needs npm ci in
// tests/browser and chromium.
import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { open, page } from './site.mjs';

const [site, to] = process.argv.slice(2);
if (!to) {
  console.error('usage: tools/screenshots SITE DIR');
  process.exit(2);
}
const newest = Math.max(...readdirSync(join(site, 'run')).map((f) => parseInt(f, 10)));
const PAGES = { index: 'index.html', run: `run/${newest}.html`, flakes: 'flakes.html' };
const SIZES = { '': { width: 1280, height: 800 }, '-narrow': { width: 360, height: 740 } };

const { browser, why } = await open();
if (!browser) {
  console.error(`screenshots: ${why}`);
  process.exit(1);
}
mkdirSync(to, { recursive: true });
for (const colorScheme of ['light', 'dark']) {
  for (const [suffix, viewport] of Object.entries(SIZES)) {
    const { page: p, context } = await page(browser, { colorScheme, viewport, deviceScaleFactor: 2 });
    for (const [name, path] of Object.entries(PAGES)) {
      const file = join(to, `${name}-${colorScheme}${suffix}.png`);
      await p.goto(pathToFileURL(resolve(site, path)).href);
      await p.screenshot({ path: file });
      console.log(file);
    }
    await context.close();
  }
}
await browser.close();
