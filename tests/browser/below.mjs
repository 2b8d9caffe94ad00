// SPDX-License-Identifier: GPL-2.0-or-later
// An exported site somewhere below an address, from a server that sends what is compressed
// as it is; and its pages turned over as files.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { page } from './site.mjs';

const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml',
  txt: 'text/plain', json: 'application/json', atom: 'application/atom+xml' };

// Knows nothing but files, as a plain web server does; anything else is 404.
function serve(site, below) {
  const server = createServer((request, reply) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const file = path.startsWith(below) && join(site, path.slice(below.length) || 'index.html');
    if (!file || !existsSync(file) || !statSync(file).isFile()) {
      reply.writeHead(404).end();
      return;
    }
    const headers = { 'Content-Type': TYPES[file.split('.').pop()] ?? 'application/octet-stream' };
    if (existsSync(`${file}.gz`) && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
      reply.writeHead(200, { ...headers, 'Content-Encoding': 'gzip' }).end(readFileSync(`${file}.gz`));
      return;
    }
    reply.writeHead(200, headers).end(readFileSync(file));
  });
  return new Promise((done) => { server.listen(0, '127.0.0.1', () => done(server)); });
}

// From the first page along every link, picture, style and script.
async function crawl(root) {
  const seen = new Set([root]), todo = [root], dead = [], outside = [];
  while (todo.length) {
    const from = todo.shift(), answer = await fetch(from);
    if (!answer.ok)
      dead.push(`${answer.status} ${from}`);
    if (!/html|css/.test(answer.headers.get('content-type'))) {
      await answer.body?.cancel();
      continue;
    }
    const text = await answer.text();
    for (const [, href] of text.matchAll(/ (?:href|src)="([^"]*)"|url\(([^)]*)\)/g)) {
      const to = new URL((href ?? '').replaceAll('&amp;', '&'), from);
      to.hash = to.search = '';
      if (to.protocol === 'data:' || seen.has(to.href))
        continue;
      if (!to.href.startsWith(root)) {
        outside.push(`${from} -> ${to.href}`);
        continue;
      }
      seen.add(to.href);
      todo.push(to.href);
    }
  }
  return { seen, dead, outside };
}

export async function below(ok, browser, site) {
  const server = await serve(site, '/a/b/');
  const root = `http://127.0.0.1:${server.address().port}/a/b/`;
  const files = readdirSync(site, { recursive: true }).filter((f) => statSync(join(site, f)).isFile());
  const { seen, dead, outside } = await crawl(root);
  ok(dead.length === 0, `below /a/b/ none of ${seen.size} links is dead`, dead.slice(0, 10).join('\n'));
  ok(outside.length === 0, 'and none leads out of it', outside.slice(0, 10).join('\n'));
  // A test that is in no table, and the matrix of the only suite, have addresses for others.
  const pages = files.filter((f) => /^(?!test\/|matrix\/).*\.html$/.test(f) && f !== 'index.html');
  const lost = pages.filter((f) => !seen.has(root + f.split('/').map(encodeURIComponent).join('/')));
  ok(pages.length > 10 && lost.length === 0, `each of ${pages.length} pages is reached`, lost.slice(0, 10).join('\n'));
  const packed = files.filter((f) => f.endsWith('.gz'));
  ok(packed.length > 10 && packed.every((f) => gunzipSync(readFileSync(join(site, f)))
    .equals(readFileSync(join(site, f.slice(0, -3))))), `${packed.length} compressed files are their pages`);

  const { page: p, context, outside: left } = await page(browser, {}, root);
  const wrong = [];
  p.on('response', (r) => { if (r.status() >= 400) wrong.push(`${r.status()} ${r.url()}`); });
  await p.goto(`${root}flakes.html`);
  await p.locator('#grid tbody th.name a').first().click();
  await p.waitForURL(/\/test\/[^/]+\.html$/);
  await p.click('.menu a:has-text("Overview")');
  await p.waitForURL((u) => !u.pathname.includes('/test/'));
  ok(p.url().startsWith(root) && await p.evaluate(() => getComputedStyle(document.querySelector('.menu')).display) !== 'inline',
    'with its style, there and back', p.url());
  ok(wrong.length + left.length === 0, 'nothing else was asked for', [...wrong, ...left].join('\n'));
  await context.close();
  server.close();
}

// Runs that are no longer on the first page are files of their own.
export async function turned(ok, browser, site) {
  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
    const { page: p, context, outside } = await page(browser, { javaScriptEnabled });
    const runs = () => p.$$eval('.grid .run', (e) => e.map((r) => r.textContent.trim()));
    await p.goto(pathToFileURL(join(site, 'flakes.html')).href);
    const first = await runs();
    ok(await p.isVisible('#filter') === javaScriptEnabled, `files: filters are there where they work, ${how}`);
    await p.click('.pages a:has-text("Older runs")');
    await p.waitForURL(/\/older\//);
    const older = await runs();
    ok(/^file:.*\/flakes\/older\/\d+\.html/.test(p.url()) && older.length > 0 && first.length === 100 &&
      older.every((r) => !first.includes(r)), `and turned over, ${how}`, `${p.url()} ${first.length} ${older.length}`);
    ok(await p.$$eval('.pages a:has-text("Older runs")', (e) => e.length) === 0, 'to the first run');
    await p.click('.pages a:has-text("Newest runs")');
    await p.waitForURL(/\/flakes\.html/);
    ok((await runs()).join() === first.join(), 'and back');
    ok(outside.length === 0, 'without a request', outside.join('\n'));
    await context.close();
  }
}
