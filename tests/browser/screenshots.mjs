// SPDX-License-Identifier: GPL-2.0-or-later
// screenshots SITE DIR: one page of each kind of an exported site, in light and
// dark, at two widths. Needs npm ci in tests/browser and chromium.
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { open, page } from './site.mjs';

const [site, to] = process.argv.slice(2);
if (!to) {
  console.error('usage: tools/screenshots SITE DIR');
  process.exit(2);
}
const newest = Math.max(...readdirSync(join(site, 'run')).map((f) => parseInt(f, 10)));
const first = (dir, pattern) => existsSync(join(site, dir)) &&
  readdirSync(join(site, dir)).filter((f) => pattern.test(f)).map((f) => join(dir, f))[0];
// The test on top of the flakes page.
const test = readFileSync(join(site, 'flakes.html'), 'utf8').match(/href="(test\/[^"]+)"/)?.[1];
const PAGES = Object.entries({ index: 'index.html', runs: 'runs.html', run: `run/${newest}.html`,
  diff: `run/${newest}/diff.html`, log: first(`run/${newest}`, /^log-.*html$/), flakes: 'flakes.html',
  test, matrix: 'matrix.html', splats: 'splats.html', splat: first('splat', /html$/), about: 'about.html' })
  .filter(([, path]) => path && existsSync(join(site, path)));
const SIZES = { '': { width: 1280, height: 800 }, '-narrow': { width: 380, height: 740 } };

const { browser, why } = await open();
if (!browser) {
  console.error(`screenshots: ${why}`);
  process.exit(1);
}
mkdirSync(to, { recursive: true });
for (const colorScheme of ['light', 'dark']) {
  for (const [suffix, viewport] of Object.entries(SIZES)) {
    const { page: p, context } = await page(browser, { colorScheme, viewport, deviceScaleFactor: 2 });
    for (const [name, path] of PAGES) {
      const file = join(to, `${name}-${colorScheme}${suffix}.png`);
      await p.goto(pathToFileURL(resolve(site, path)).href);
      await p.screenshot({ path: file });
      console.log(file);
    }
    await context.close();
  }
}
await browser.close();
