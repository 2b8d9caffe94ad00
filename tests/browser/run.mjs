// SPDX-License-Identifier: GPL-2.0-or-later
// run.mjs SITE HOSTILE-SITE URL HOSTILE-URL LONG-SITE SITE SITE URL: what a browser makes of exported
// sites, and of two servers.
// Prints TAP.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { below, turned } from './below.mjs';
import { hostile as harmlessServer, search, served } from './served.mjs';
import { open, page } from './site.mjs';

let n = 0, failed = 0;
function ok(good, name, detail) {
  n++;
  failed += !good;
  console.log(`${good ? 'ok' : 'not ok'} ${n} - ${name}`);
  if (!good && detail !== undefined)
    console.log(String(detail).replace(/^/gm, '#   '));
}

const [site, hostile, live, hostileLive, long, others, machines, machinesLive] = process.argv.slice(2);
const url = (path, root = site) => pathToFileURL(join(root, path)).href;
const html = (root) => readdirSync(root, { recursive: true })
  .filter((f) => f.endsWith('.html')).sort();
// One page of each kind: the newest run, a run that crashed, its logs.
const test = readdirSync(join(site, 'test')).find((f) => f.startsWith('simult_flows') &&
  readFileSync(join(site, 'test', f), 'utf8').includes('<h1 class="name">simult_flows: unbalanced bwidth</h1>'));
const splat = readdirSync(join(site, 'splat'))[0];
const PAGES = [`test/${test}`, 'index.html', 'runs.html', 'run/20.html', 'run/14/diff.html', 'run/14.html', 'run/14/log-4.html',
  'run/14/console-1.html', 'flakes.html', 'flakes/branch/export/debug.html',
  'matrix.html', 'splats.html', `splat/${splat}`, 'about.html'];

console.log('TAP version 13');
const { browser, why } = await open();
if (!browser) {
  console.log(`1..0 # SKIP ${why}`);
  process.exit(0);
}

// ---- markup ----
async function validate() {
  const { HtmlValidate, StaticConfigLoader } = await import('html-validate');
  const config = new StaticConfigLoader({
    extends: ['html-validate:standard'],
    // Matters of taste, and two rules that do not know <details> and SVG.
    rules: { 'long-title': 'off', 'no-inline-style': 'error', 'doctype-style': 'off',
      'void-style': ['error', { style: 'omit' }], 'no-trailing-whitespace': 'off' },
  });
  const validator = new HtmlValidate(config);
  for (const [root, files] of [[site, PAGES], [hostile, html(hostile)]]) {
    const wrong = [];
    for (const f of files) {
      // The validator takes half a minute for a long log.
      if (statSync(join(root, f)).size > 100000)
        continue;
      const report = await validator.validateString(readFileSync(join(root, f), 'utf8'), f);
      for (const r of report.results)
        for (const m of r.messages.filter((x) => x.severity === 2).slice(0, 3))
          wrong.push(`${f}:${m.line}:${m.column} ${m.ruleId} ${m.message}`);
    }
    ok(wrong.length === 0, `${files.length} pages are valid HTML`,
      wrong.slice(0, 10).join('\n'));
  }
}

// ---- links ----
function links() {
  const ids = new Map(), wanted = [], dead = [];
  const all = (text, pattern) => [...text.matchAll(pattern)].map((m) => m[1]);
  for (const f of html(site)) {
    const text = readFileSync(join(site, f), 'utf8');
    ids.set(url(f), new Set(all(text, / id="([^"]*)"/g)));
    for (const href of all(text, / (?:href|src)="([^"]*)"/g))
      wanted.push([f, new URL(href, url(f)).href]);
  }
  for (const [from, href] of wanted) {
    const [path, id] = href.split('#');
    if (path.startsWith('data:'))
      continue;
    let there = ids.has(path);
    try {
      there ||= statSync(new URL(path)).isFile();
    } catch { /* it is not */ }
    if (!there || (id && !ids.get(path)?.has(decodeURIComponent(id))))
      dead.push(`${from} -> ${href}`);
  }
  ok(dead.length === 0, `all ${wanted.length} links lead somewhere`, dead.slice(0, 10).join('\n'));
}

// ---- looks ----
async function accessible() {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
  for (const colorScheme of ['light', 'dark']) {
    const { page: p, context, outside } = await page(browser, { colorScheme });
    for (const path of PAGES) {
      await p.goto(url(path));
      // What is folded is checked too.
      await p.$$eval('details', (all) => all.forEach((d) => { d.open = true; }));
      // One row is like the next.
      await p.$$eval('.grid tbody tr:nth-child(n+4), .grid tbody:nth-of-type(n+5)',
        (all) => all.forEach((e) => e.remove()));
      await p.evaluate(axe);
      const { violations } = await p.evaluate(() => globalThis.axe.run());
      const found = violations.map((v) => `${v.impact} ${v.id}: ${v.help}\n  ` +
        v.nodes.slice(0, 3).map((x) => `${x.target} ${x.any[0]?.message ?? ''}`).join('\n  '));
      ok(found.length === 0, `axe finds nothing, ${colorScheme}: ${path}`, found.join('\n'));
    }
    ok(outside.length === 0, `no request leaves the site, ${colorScheme}`, outside.join('\n'));
    await context.close();
  }
}

async function narrow() {
  const { page: p, context } = await page(browser, { viewport: { width: 360, height: 740 } });
  for (const path of PAGES) {
    await p.goto(url(path));
    const wide = await p.evaluate(() => document.documentElement.scrollWidth);
    ok(wide <= 360, `nothing sticks out at 360 px: ${path}`, `${wide} px`);
  }
  // What is wider than its box scrolls in it, and is not seen.
  const scrolls = () => p.evaluate(() => [...document.querySelectorAll('.scroll:has(.latest, .runs)')]
    .map((e) => e.scrollWidth - e.clientWidth).join(' '));
  await p.goto(url('index.html'));
  ok(/^0( 0)*$/.test(await scrolls()), 'all of a branch\'s latest run is seen', await scrolls());
  await p.goto(url('runs.html'));
  ok(await scrolls() === '0', 'all of a run is seen', await scrolls());
  await p.setViewportSize({ width: 1000, height: 740 });
  ok(await scrolls() === '0', 'also where there is room for a table', await scrolls());
  await p.setViewportSize({ width: 360, height: 740 });
  await p.goto(url('flakes.html'));
  const name = p.locator('.grid tbody tr:not(.group) th.name').first();
  const before = await name.boundingBox();
  await p.$eval('.scroll', (e) => { e.scrollLeft = 200; });
  const after = await name.boundingBox();
  ok(before.x === after.x, 'the names of tests stay while the runs scroll');
  await context.close();
}

// ---- the switch ----
const background = (p) => p.evaluate(() => getComputedStyle(document.body).backgroundColor);

async function scheme() {
  const light = 'rgb(255, 255, 255)';
  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
    const { page: p, context } = await page(browser, { colorScheme: 'light', javaScriptEnabled });
    await p.goto(url('index.html'));
    ok(await background(p) === light, `light, as the reader has it, ${how}`);
    await p.focus('#scheme-auto');
    await p.keyboard.press('ArrowRight');
    await p.keyboard.press('ArrowRight');
    ok(await background(p) !== light, `dark by the switch and the keyboard, ${how}`);
    await p.goto(url('flakes.html'));
    ok((await background(p) !== light) === javaScriptEnabled,
      javaScriptEnabled ? 'remembered on the next page' : 'forgotten on the next page');
    await context.close();
  }
}

async function keyboard() {
  const { page: p, context } = await page(browser);
  await p.goto(url('index.html'));
  await p.keyboard.press('Tab');
  ok(await p.evaluate(() => document.activeElement.className === 'to-main'),
    'the first stop leads past the menu');
  await p.goto(url('run/14.html'));
  await p.focus('.program:not([open]) > summary');
  await p.keyboard.press('Enter');
  ok(await p.evaluate(() => document.activeElement.parentElement.open), 'Enter opens a program');
  const outline = await p.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  ok(outline !== 'none', 'what has the focus is seen');
  await context.close();
}

// ---- nothing moves while it loads; on paper ----
async function still() {
  const { page: p, context } = await page(browser);
  for (const path of PAGES) {
    await p.goto(url(path));
    const moved = await p.evaluate(() => new Promise((done) => {
      let sum = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((e) => { sum += e.value; }))
        .observe({ type: 'layout-shift', buffered: true });
      requestAnimationFrame(() => setTimeout(() => done(sum), 50));
    }));
    ok(moved < 0.01, `nothing moves while it loads: ${path}`, moved);
  }
  await context.close();
}

async function paper() {
  const { page: p, context } = await page(browser, { colorScheme: 'dark' });
  await p.emulateMedia({ media: 'print' });
  for (const path of ['index.html', 'run/14.html', 'flakes.html', 'run/14/log-4.html']) {
    await p.goto(url(path));
    ok(await p.isHidden('.menu') && await p.isHidden('.scheme') &&
      /^(rgb\(255, 255, 255\)|rgba\(0, 0, 0, 0\))$/.test(await background(p)), `ink on white paper: ${path}`,
    await background(p));
  }
  await context.close();
}

// ---- what a reader does ----
async function walk() {
  const { page: p, context } = await page(browser, { javaScriptEnabled: false });
  await p.goto(url('flakes.html'));
  const grey = await p.$$eval('td.absent', (all) => all.length);
  const green = await p.$eval('td.pass', (e) => getComputedStyle(e).backgroundColor);
  const absent = await p.$eval('td.absent', (e) => getComputedStyle(e).backgroundColor);
  ok(grey > 0 && green !== absent, 'absent is not green');
  await p.click('td.fail a');
  await p.waitForURL(/\/run\/\d+\.html#/);
  await p.waitForSelector(':target', { state: 'attached' });
  const target = await p.evaluate(() => document.querySelector(':target')?.textContent);
  ok(target && /✗/.test(target), 'a red cell leads to that result', target);
  await p.locator(':target a[href*="/log-"]').first().click();
  await p.waitForURL(/\/log-\d+\.html#/);
  await p.waitForSelector(':target', { state: 'attached' });
  ok(await p.evaluate(() => /\[FAIL\]/.test(document.querySelector(':target')?.textContent)),
    'and that to its lines of the log');
  await context.close();
}

// ---- from a flake to its past ----
async function past() {
  const { page: p, context } = await page(browser, { javaScriptEnabled: false });
  await p.goto(url('flakes.html'));
  await p.locator('#grid tbody th.name a').first().click();
  await p.waitForURL(/\/test\/[^/]+\.html$/);
  ok(await p.locator('.past .chart').count() > 0, 'a row leads to the past of its test');
  const width = () => p.$eval('.past .chart', (e) => e.getBoundingClientRect().width);
  const before = await width();
  await p.focus('#zoom-1');
  await p.keyboard.press('ArrowRight');
  await p.keyboard.press('ArrowRight');
  ok(await width() > 4 * before, 'which is zoomed by the keyboard, without JavaScript');
  await p.locator('.group[open] a', { hasText: 'run' }).first().click();
  await p.waitForURL(/\/run\/\d+\.html$/);
  const link = p.locator('.results a[href*="/test/"]').first();
  await p.$$eval('details', (all) => all.forEach((d) => { d.open = true; }));
  await link.click();
  ok(/\/test\/[^/]+\.html$/.test(p.url()), 'and a result of a run to its test');
  await context.close();
}

// ---- filters and sorts of a flakes page ----
async function filters() {
  const { page: p, context } = await page(browser);
  const rows = () => p.$$eval('#grid tbody tr:not([hidden])', (all) => all.map((r) => r.cells[0].title));
  const values = (i) => p.$$eval('#grid tbody tr:not([hidden])',
    (all, nth) => all.map((r) => Number(r.dataset.v.split(' ')[nth])), i);
  const falls = (v) => v.every((x, i) => i === 0 || x <= v[i - 1]);
  await p.goto(url('flakes.html'));
  const all = await rows();
  ok(all.length > 3 && falls(await values(0)), 'the highest rate is on top');
  await p.fill('#f-name', 'simult');
  const some = await rows();
  ok(some.length > 0 && some.length < all.length && some.every((n) => n.includes('simult')),
    'a part of a name filters', some.join('\n'));
  ok(new URL(p.url()).searchParams.get('name') === 'simult', 'and stands in the address', p.url());
  await p.reload();
  ok((await rows()).join() === some.join(), 'which shows the same again');
  await p.fill('#f-name', '*: fastclose tes?');
  ok((await rows()).every((n) => n.endsWith('fastclose test')) && (await rows()).length > 0, 'so does a glob');
  await p.fill('#f-name', '[');
  ok((await rows()).length === 0, 'a glob that is none fits nothing');
  await p.fill('#f-name', '');
  await p.click('a[data-sort=flips]');
  ok(falls(await values(1)) && await p.$eval('a[data-sort=flips]',
    (a) => a.parentNode.getAttribute('aria-sort')) === 'descending', 'a head sorts, and says so');
  await p.focus('a[data-sort=name]');
  await p.keyboard.press('Enter');
  const names = await rows();
  ok(names.join() === [...names].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)).join(), 'by keyboard too');
  await p.fill('#f-flips', '2');
  ok((await values(1)).every((n) => n >= 2), 'flips at least');
  await p.fill('#f-flips', '');
  /* The period, and in a history of several the machine, choose columns. */
  const heads = () => p.$$eval('#grid thead tr:nth-child(2) th:not([hidden])', (all) => all.map((h) =>
    [Number(h.dataset.t), Number(h.dataset.m)]));
  const wide = () => p.$eval('#grid', (g) => [...g.tHead.rows[0].cells].slice(7).filter((c) => !c.hidden)
    .reduce((n, c) => n + c.colSpan, 0));
  const failed = () => p.$$eval('#grid tbody tr:not([hidden])', (all) => all.every((r) =>
    [...r.cells].slice(7).some((c) => !c.hidden && /fail|timeout|error|crash|missing|flaky|xpass/.test(c.className))));
  await p.goto(pathToFileURL(join(long, 'flakes.html')).href);
  const every = await heads();
  await p.selectOption('#f-days', '7');
  const newest = every[0][0], lately = await heads();
  ok(lately.length > 0 && lately.length < every.length && lately.every(([t]) => t >= newest - 7 * 86400) &&
    await wide() === lately.length, 'a period has its runs', `${lately.length} of ${every.length}`);
  ok(await failed() && (await rows()).length > 0 &&
    (await p.textContent('#found')).includes('rates are of all runs'), '- and what failed in them');
  await p.reload();
  ok((await heads()).length === lately.length, '- and stands in the address', p.url());
  await p.selectOption('#f-days', '');
  ok((await heads()).length === every.length && await wide() === every.length, '- all are there again');
  await p.goto(pathToFileURL(join(others, 'flakes.html')).href);
  const machines = await heads();
  await p.selectOption('#f-machine', 'x86_64');
  ok(machines.length === 3 && (await heads()).length === 1 && await failed() && (await rows()).length > 0 &&
    new URL(p.url()).searchParams.get('machine') === 'x86_64', 'a machine has its runs', p.url());
  await p.goto(url('flakes.html'));
  await p.fill('#f-flips', '2');
  await p.click('.choices a >> text=debug');
  ok(new URL(p.url()).searchParams.get('flips') === '2' && (await values(1)).every((n) => n >= 2),
    'another mode is asked the same', p.url());
  await context.close();
  const { page: plain, context: off } = await page(browser, { javaScriptEnabled: false });
  await plain.goto(`${url('flakes.html')}?name=simult`);
  ok(!await plain.isVisible('#filter'), 'without JavaScript no form that does nothing');
  ok((await plain.$$('#grid tbody tr')).length === all.length, 'and every row');
  await off.close();
}

// ---- a test of a branch that seldom runs: an empty row says why, and leads to its own ----
async function seldom() {
  const { page: p, context } = await page(browser);
  const ran = () => p.$$eval('#grid .ran', (all) => all.filter((s) => s.checkVisibility()).map((s) => s.textContent));
  const row = '#grid tbody tr:has([title*="weekly_flows"])';
  await p.goto(url('flakes.html', machines));
  ok((await ran()).length > 0 && (await ran()).every((s) => /^last ran \d{4}-\d\d-\d\d on weekly$/.test(s)) &&
    await p.locator(`${row} .ran`).count() > 0, 'what did not run for long says when it ran last', (await ran()).join('\n'));
  ok(await p.$eval(row, (r) => r.cells.length) === await p.$eval('#grid', (g) => 7 + g.tHead.rows[1].cells.length),
    'and is a row as all are');
  await p.selectOption('#f-days', '7');
  ok((await ran()).length === 0, 'but where the runs are chosen');
  await p.selectOption('#f-days', '');
  await p.locator(`${row} .ran a`).first().click();
  await p.waitForURL(/flakes\/branch\/weekly\.html$/);
  ok((await ran()).length === 0 && await p.locator(`${row} td.fail, ${row} td.flaky, ${row} td.timeout`).count() > 0,
    "its branch's page has them together", p.url());
  await context.close();
}

// ---- a matrix, of the machine and the period that are asked for: files as a server ----
async function matrix() {
  const { page: p, context } = await page(browser);
  const seen = (q) => q.evaluate(() => {
    const grid = document.getElementById('matrix'), shown = (c) => c.checkVisibility();
    const words = (c) => `${[...c.classList].sort().join('.')} ${c.textContent} ${c.colSpan}`;
    return grid && shown(grid) ? [...grid.rows].filter(shown).map((r) => [...r.cells].filter(shown).map(words)) : [];
  });
  const { page: asked, context: server } = await page(browser, { javaScriptEnabled: false }, machinesLive);
  const { page: plain, context: off } = await page(browser, { javaScriptEnabled: false });
  const tables = [];
  for (const query of ['', '?machine=uml', '?machine=qemu', '?days=30', '?machine=uml&days=30', '?days=7', '?machine=uml&days=7']) {
    await p.goto(url('matrix.html', machines) + query);
    await asked.goto(`${machinesLive}/matrix.html${query}`);
    const [files, pages] = [await seen(p), await seen(asked)];
    ok(JSON.stringify(files) === JSON.stringify(pages), `a matrix${query} is the same of files and of a server`,
      `${JSON.stringify(files)}\n${JSON.stringify(pages)}`);
    tables.push(JSON.stringify(files));
  }
  ok(new Set(tables.slice(0, 3)).size === 2 && tables[0] === tables[2], 'of several machines the one that ran last');
  ok(tables[1].length > 100 && tables[6] === '[]' && await p.textContent('#found') === 'No run fits.' &&
    (await asked.textContent('main')).includes('No run fits.'), 'or none in that time');
  await plain.goto(url('matrix.html', machines));
  ok(JSON.stringify(await seen(plain)) === tables[0] && !await plain.isVisible('#filter'), 'without JavaScript too');
  await p.goto(url('matrix.html', machines));
  await p.selectOption('#f-machine', 'uml');
  ok(JSON.stringify(await seen(p)) === tables[1] && new URL(p.url()).searchParams.get('machine') === 'uml' &&
    /^\d+ of \d+ branches and modes$|^$/.test(await p.textContent('#found')), 'a choice shows at once, and stands in the address');
  await p.selectOption('#f-machine', '');
  ok(JSON.stringify(await seen(p)) === tables[0], 'and back');
  await Promise.all([context, server, off].map((c) => c.close()));
}

// ---- strings that would like to be more ----
async function harmless() {
  const { page: p, context, outside } = await page(browser);
  let alerts = 0, scripts = 0, handlers = 0;
  p.on('dialog', (d) => { alerts++; d.dismiss(); });
  for (const f of html(hostile)) {
    await p.goto(url(f, hostile));
    scripts += await p.$$eval('script', (all) => all.filter((s) => !s.src).length);
    handlers += await p.$$eval('*', (all) => all.filter((e) =>
      [...e.attributes].some((a) => a.name.startsWith('on'))).length);
  }
  ok(alerts === 0 && scripts === 0 && handlers === 0, 'no string from outside became markup',
    `${alerts} alerts, ${scripts} scripts, ${handlers} handlers`);
  ok(outside.length === 0, 'nor a request');
  await p.goto(url('run/1/log-1.html', hostile));
  ok(await p.$$eval('.log a', (all) => all.length) < 4100, 'a long log is cut');
  ok(await p.$('.log .cut') !== null, 'and says so');
  await context.close();
}

const parts = [validate, links, accessible, narrow, scheme, keyboard, still, paper, walk, past, filters, seldom, matrix, harmless,
  function subPath() { return below(ok, browser, long); },
  function files() { return turned(ok, browser, long); },
  function server() { return served(ok, browser, live); },
  function logs() { return search(ok, browser, live); },
  function hostileServer() { return harmlessServer(ok, browser, hostileLive); }];
for (const part of parts) {
  const begin = Date.now();
  await part();
  console.log(`# ${part.name}: ${Date.now() - begin} ms`);
}
await browser.close();
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
