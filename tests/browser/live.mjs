// SPDX-License-Identifier: GPL-2.0-or-later
// live.mjs URL RUN GATE: a run that goes on, in a browser: the file GATE lets it end.
import { writeFileSync } from 'node:fs';
import { open } from './site.mjs';

const [url, run, gate] = process.argv.slice(2);
const { browser, why } = await open();
if (!browser) {
  console.log(why);
  process.exit(0);
}
const p = await browser.newPage();
let loads = 0, wrong = [];
p.on('framenavigated', () => { loads++; });
p.on('pageerror', (e) => wrong.push(String(e)));
p.on('console', (m) => { if (m.type() === 'error') wrong.push(m.text()); });
await p.goto(`${url}/run/${run}.html`);
await p.waitForSelector('progress[value="2"]');
await p.waitForFunction(() => document.getElementById('live').textContent.includes('follows'));
// What the reader has open stays open, and the focus where it is.
const name = await p.getAttribute('.program:not([open])', 'id');
await p.click(`[id="${name}"] > summary`);
writeFileSync(gate, '');
await p.waitForFunction(() => !document.getElementById('live') && !document.querySelector('progress'),
  null, { timeout: 30000 });
const open_now = await p.evaluate((id) => document.getElementById(id)?.open, name);
const focus = await p.evaluate(() => document.activeElement.parentElement.id);
const tests = await p.$$eval('.program', (all) => all.length);
await browser.close();
console.log(`${loads} load, ${tests} tests, ${name} ${open_now ? 'open' : 'closed'}, focus in ${focus}`,
  ...wrong);
process.exit(loads === 1 && tests === 3 && name && open_now && focus === name && !wrong.length
  ? 0 : 1);
