// SPDX-License-Identifier: GPL-2.0-or-later
// What a browser makes of a server's pages: forms without JavaScript, logs that are
// searched, strings that would like to be more.
import { page } from './site.mjs';

const rowsOf = (p) => p.$$eval('#grid tbody tr', (all) => all.map((r) => r.cells[0].title));
const valuesOf = (p, i) => p.$$eval('#grid tbody tr',
  (all, nth) => all.map((r) => Number(r.dataset.v.split(' ')[nth])), i);
const falls = (v) => v.every((x, i) => i === 0 || x <= v[i - 1]);

async function show(p) {
  await Promise.all([p.waitForNavigation(), p.click('#filter button')]);
}

// Every filter is in the form, goes into the address, and does something.
export async function served(ok, browser, base) {
  const { page: p, context, outside } = await page(browser, { javaScriptEnabled: false }, base);
  const flakes = `${base}/flakes.html`;
  await p.goto(flakes);
  const all = await rowsOf(p);
  ok(falls(await valuesOf(p, 0)) && all.length > 5, 'a server sorts by rate');
  await p.fill('#f-name', 'simult');
  await show(p);
  ok(new URL(p.url()).searchParams.get('name') === 'simult', 'a form without a script asks by the address', p.url());
  const named = await rowsOf(p);
  ok(named.length > 0 && named.length < all.length && named.every((n) => n.includes('simult')), 'a part of a name');
  for (const [field, value, fits] of [
    ['branch', 'net-next', async () => (await p.$$eval('.run', (e) => e.length)) > 0],
    ['mode', 'debug', async () => (await p.$$('#grid tbody .mode:not(.known)')).length === 0],
    ['status', 'skip', async () => (await rowsOf(p)).every((n) => n.includes('last_data'))],
    ['days', '7', async () => (await p.textContent('.lead')).includes('runs since')],
    ['known', 'no', async () => (await p.$$('[data-known]')).length === 0],
    ['known', 'yes', async () => (await p.$$('#grid tbody tr:not([data-known])')).length === 0],
  ]) {
    await p.goto(flakes);
    await p.selectOption(`#f-${field}`, value);
    await show(p);
    ok(new URL(p.url()).searchParams.get(field) === value && await fits(), `${field}=${value}`, p.url());
  }
  await p.goto(flakes);
  await p.fill('#f-flips', '3');
  await show(p);
  ok((await valuesOf(p, 1)).every((n) => n >= 3) && (await rowsOf(p)).length > 0, 'flips, at least');
  // The streak of those that hold is below zero.
  for (const [by, i] of Object.entries({ rate: 0, flips: 1, cost: 2, recent: 3, streak: 4 })) {
    await p.goto(flakes);
    await p.selectOption('#f-sort', by);
    await show(p);
    ok(falls(await valuesOf(p, i)), `sorted by ${by}`);
  }
  await p.goto(flakes);
  await p.click('a[data-sort=name]');
  const names = await rowsOf(p);
  ok(names.join() === [...names].sort((a, b) => (a < b ? -1 : 1)).join(), 'a head sorts by name');
  const first = await p.$$eval('.grid .run a', (e) => e.map((a) => a.textContent));
  await p.click('.pages a:has-text("Older runs")');
  const older = await p.$$eval('.grid .run a', (e) => e.map((a) => a.textContent));
  ok(first.length === 100 && older.length === 10 && !older.some((r) => first.includes(r)) &&
    p.url().includes('before='), 'columns are turned over to the first run', `${first.length} ${older.length}`);
  ok(p.url().includes('sort=name'), 'and the order stays');
  await p.click('.pages a:has-text("Newest runs")');
  ok((await p.$$('.grid .run')).length === 100, 'and back');
  ok(outside.length === 0, 'no request leaves a server', outside.join('\n'));
  await context.close();
}

export async function search(ok, browser, base) {
  const { page: p, context } = await page(browser, { javaScriptEnabled: false }, base);
  await p.goto(`${base}/flakes.html`);
  await p.locator('td.fail a').first().click();
  await p.locator('.results a[href*="/log-"]:visible').first().click();
  const log = p.url().replace(/#.*/, '');
  await p.goto(log);
  await p.fill('#find', '[fail]');
  await Promise.all([p.waitForNavigation(), p.click('form button')]);
  const hits = await p.$$eval('.log.found a', (all) => all.map((a) => a.href));
  ok(hits.length > 0 && (await p.textContent('.log.found')).includes('[FAIL]'), 'a log is searched', p.url());
  ok(await p.$$eval('#log mark', (all) => all.every((m) => m.textContent === '[FAIL]') && all.length > 0),
    'what was found stands out');
  await p.goto(hits[0]);
  ok(await p.$(':target') !== null, 'and each has an address');
  await p.goto(`${log}?find=nowhere+%3Cb%3E`);
  ok((await p.textContent('[role=status]')).includes('No line with “nowhere <b>”'), 'what is nowhere is told');
  await context.close();
}

// Everything that a server says of strings that are none of ours.
export async function hostile(ok, browser, base) {
  const { page: p, context, outside } = await page(browser, {}, base);
  const evil = encodeURIComponent('"\'><script>alert(1)</script><b onfocus=alert(2) autofocus>');
  const asked = ['flakes.html?name=', 'flakes.html?branch=', 'flakes.html?mode=', 'flakes.html?machine=',
    'flakes.html?suite=', 'flakes.html?sort=', 'flakes.html?flips=', 'run/1/log-1.html?find=',
    'run/1/console-1.html?find=', 'run/1/log-1.html?line=', 'runs.html?branch=', 'diff.html?a=1&b=', '', 'run/',
    'test/', 'splat/'].map((path) => `${base}/${path}${evil}`);
  const todo = [`${base}/`, `${base}/diff.html?a=1&b=3`, `${base}/run/1/log-1.html?find=%3Cscript&line=2`, ...asked];
  const seen = new Set(todo), kinds = new Set();
  let alerts = 0, scripts = 0, handlers = 0, links = 0;
  p.on('dialog', (d) => { alerts++; d.dismiss(); });
  while (todo.length && seen.size < 400) {
    const url = todo.shift();
    await p.goto(url);
    const found = await p.evaluate(() => ({
      scripts: [...document.scripts].filter((s) => !s.src).length,
      handlers: [...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on'))).length,
      links: [...document.querySelectorAll('a[href]')].map((a) => a.href),
    }));
    scripts += found.scripts;
    handlers += found.handlers;
    links += found.links.filter((l) => !/^https?:/.test(l)).length;
    for (const link of found.links.map((l) => l.replace(/#.*/, ''))) {
      const kind = link.replace(base, '').replace(/\?.*/, '')
        .replace(/^(\/(test|splat|matrix|flakes)\/).*/, '$1').replace(/\d+/g, '0');
      // Two of each kind of page.
      if (seen.has(link) || !link.startsWith(base) || !/\.html(\?|$)|\/$/.test(link) || kinds.has(`${kind} 2`))
        continue;
      kinds.add(kinds.has(kind) ? `${kind} 2` : kind);
      seen.add(link);
      todo.push(link);
    }
  }
  ok(alerts + scripts + handlers + links === 0, `no string became markup on ${seen.size} pages of a server`,
    `${alerts} alerts, ${scripts} scripts, ${handlers} handlers, ${links} links to elsewhere`);
  ok(['/run/0/log-0.html', '/run/0/console-0.html', '/run/0/diff.html', '/run/0.html', '/splats.html', '/splat/', '/test/',
    '/matrix.html', '/about.html', '/runs.html'].every((k) => kinds.has(k)), 'each kind of page was among them',
    [...kinds].join('\n'));
  ok(outside.length === 0, 'and no request left', outside.join('\n'));
  await context.close();
}
