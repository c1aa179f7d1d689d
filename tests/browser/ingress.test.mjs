// The whole swap behind Home Assistant: prefix, cookie, held-back events, doubled slashes (face §14.3, 4, 7; UI-3).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startIngress, TOKEN } from './ingress.mjs';
import { exists, follow, launch, open, tabTheme, text } from './lib/browser.mjs';
import { absoluteLinks, axe } from './lib/checks.mjs';
import { chooseAndConfirm, ended, stopByClicks, WHOLE } from './lib/flows.mjs';
import { ask, startDemo } from './lib/servers.mjs';
import { SLACK, until } from './lib/wait.mjs';

let browser;
let demo;
let ingress;

before(async () => {
  [demo, browser] = await Promise.all([startDemo({ speed: '60,90' }), launch()]);
  ingress = await startIngress(demo.url);
}, { timeout: 600_000 });

after(async () => {
  await browser?.close();
  await ingress?.end();
  await demo?.end();
});

async function signedIn(options) {
  const tab = await open(browser, options);
  await tab.page.goto(ingress.page());
  return tab;
}

/** Until the demo's card may be used (again): a job that has ended lets go of it. */
const usable = (disk) => until(`${disk} can be used`, async () => (await demo.disks()).some(({ id }) => id === disk), { within: 30_000 });

/** Below the token of another app. */
const ELSEWHERE = '/api/hassio_ingress/other/';

/** Nothing that was asked for lay outside of the prefix, and nothing that was answered leads out of it. */
function allInside(tab) {
  const ours = tab.requests.filter((url) => !url.startsWith('data:') && !/\/panel(\?|$)/.test(url) && !/favicon\.ico$/.test(url));
  assert.deepEqual(ours.filter((url) => !url.startsWith(ingress.url)), []);
  for (const { path, location, status } of ingress.seen.filter(({ path }) => path !== ELSEWHERE)) {
    if (location) assert.doesNotMatch(location, /^(\/|[a-z][a-z0-9+.-]*:)/i, `${status} ${path}`);
    assert.notEqual(status, 404, path);
  }
}

test('UI-3 without a session 401; it lives 15 minutes and each request renews it; an open page says that it was signed out', async () => {
  assert.equal((await ask(ingress.url)).status, 401);
  assert.equal((await ask(ingress.origin + ELSEWHERE)).status, 404);
  const tab = await signedIn();
  await tab.page.goto(ingress.url);
  ingress.pass(14);
  // Whatever the open page asks for meanwhile renews the session: that is what its pulse is for.
  await until('the page asks by itself', () => ingress.seen.some(({ path, status }) => /\/live\?/.test(path) && status < 300), { within: 25_000 });
  ingress.pass(14);
  assert.equal((await tab.page.reload()).status(), 200);
  ingress.pass(16);
  await until('the page says that it was signed out', () => tab.page.$eval('#signed-out', (e) => !e.hidden), { within: 30_000 });
  assert.deepEqual(await axe(tab), []);
  assert.equal((await tab.page.reload()).status(), 401);
  await tab.close();
});

test('PK-4 headers that only the Supervisor sets do not come from a browser', async () => {
  const tab = await signedIn();
  await tab.page.goto(ingress.url);
  const html = await tab.page.content();
  assert.deepEqual(absoluteLinks(html, ''), []);
  assert.ok(!html.includes(TOKEN), 'the page does not know its prefix');
  await tab.close();
});

test('14.3, 14.7 JavaScript off, doubled slashes: choose, confirm, watch, stop, choose again, watch to the end, read the log', { timeout: WHOLE }, async (t) => {
  ingress.doubledSlash = true;
  ingress.dropWebSockets = true;
  const tab = await signedIn({ js: false, width: 320, theme: 'dark' });
  await tab.page.goto(ingress.url);
  const navigated = async (act, where) => {
    await Promise.all([tab.page.waitForNavigation({ waitUntil: 'load' }), act()]);
    assert.match(new URL(tab.page.url()).pathname + new URL(tab.page.url()).search, where);
  };
  await chooseAndConfirm(tab.page, 'sda', navigated);
  await stopByClicks(tab);
  assert.match(tab.page.url(), /jobs\/\d+$/);
  const first = /jobs\/(\d+)$/.exec(tab.page.url())[1];
  await until('it says that it was stopped', async () => /^Stopped/.test(await text(tab, '#state')), { within: 30_000 });
  assert.match(await text(tab, '#state'), /The card is (unchanged|empty now)/);
  assert.equal((await demo.job(first)).state, 'cancelled');

  await usable('sda');
  await tab.page.goto(ingress.url);
  await chooseAndConfirm(tab.page, 'sda', navigated);
  const id = /jobs\/(\d+)$/.exec(tab.page.url())[1];
  const before = tab.loads;
  // An old Core beside it: events come all at once, at the end; the pulse takes over by itself.
  ingress.holdEvents = true;
  const held = await signedIn();
  await held.page.goto(ingress.url);
  await follow(held, '#watch');
  const ends = ended(demo, id).then((job) => ({ job, at: Date.now() }));
  const [{ job, at }, plain, old] = await Promise.all([ends, ready(tab), ready(held)]);
  assert.equal(job.state, 'done', JSON.stringify(job.problem));
  t.diagnostic(`the end shows after ${plain - at} ms without JavaScript, ${old - at} ms with events held back`);
  assert.ok(tab.loads - before >= 2, `it refreshed itself ${tab.loads - before} times`);
  assert.ok(plain - at <= 15_000 + SLACK, `without JavaScript: ${plain - at} ms`);
  assert.ok(old - at <= 5_000 + SLACK, `held back: ${old - at} ms`);
  ingress.holdEvents = false;
  assert.deepEqual(held.wrong, []);

  assert.ok(await exists(tab, 'a[href$="/log"]'), 'a link to the log');
  await follow(tab, 'a[href$="/log"]');
  assert.ok((await text(tab, 'pre')).length > 100, 'the log is there to be read');
  assert.ok(await exists(tab, 'a[download][href$="log.txt"]'), 'and to be taken along');
  allInside(tab);
  allInside(held);
  ingress.doubledSlash = false;
  await Promise.all([tab, held].map((one) => one.close()));
});

/** When the page says that the card is ready. */
const ready = (tab) => until('the card is ready', async () => (await text(tab, '#state')).includes('The new card is ready') && Date.now(), { within: WHOLE, every: 100 });

test('14.3, 14.4 live, in the frame: from home to done, with the end within 2 s; then on to the swap', { timeout: WHOLE }, async (t) => {
  ingress.dropWebSockets = false;
  // The card of the job before goes out, another one in.
  await demo.card('pull', 'sda');
  await demo.card('plug', 'sdb');
  const tab = await signedIn({ theme: 'light' });
  await tab.page.goto(ingress.page('dark'));
  const frame = await until('the app is in its frame', () => tab.page.frames().find((f) => f.url().startsWith(ingress.url)));
  const navigated = async (act, where) => {
    await act();
    await until(`the frame goes to ${where}`, () => where.test(frame.url()));
  };
  await usable('sdb');
  await chooseAndConfirm(frame, 'sdb', navigated);
  const id = /jobs\/(\d+)$/.exec(frame.url())[1];
  assert.equal(await frame.evaluate(() => document.documentElement.getAttribute('data-theme')), 'dark');
  const ends = ended(demo, id).then((job) => ({ job, at: Date.now() }));
  const shown = until('the card is ready', async () => (await frame.$eval('#state', (e) => e.innerText)).includes('The new card is ready') && Date.now(), { within: WHOLE, every: 50 });
  const [{ job, at }, live] = await Promise.all([ends, shown]);
  assert.equal(job.state, 'done', JSON.stringify(job.problem));
  t.diagnostic(`the end shows after ${live - at} ms`);
  assert.ok(live - at <= 2_000 + SLACK, `${live - at} ms`);
  assert.equal(frame.url(), `${ingress.url}jobs/${id}`, 'no page change by itself');
  assert.deepEqual(tab.wrong, []);
  allInside(tab);
  const [stream] = ingress.seen.filter(({ path }) => path.includes(`/jobs/${id}/events`));
  assert.ok(stream.bytes > 0, 'it came by the stream');

  // The swap page takes the whole window: the frame goes when Home Assistant does.
  const swap = await frame.$('a[href$="/swap"]');
  assert.ok(swap, 'a way to the swap page');
  assert.equal(await swap.evaluate((e) => e.target), '_top');
  await Promise.all([tab.page.waitForNavigation({ waitUntil: 'load' }), swap.click()]);
  assert.equal(tab.page.url(), `${ingress.url}jobs/${id}/swap`);
  await tabTheme(tab, 'light', { 'prefers-reduced-motion': 'reduce' });
  assert.deepEqual(await axe(tab), []);
  assert.equal(await tab.page.$eval('#whole', (e) => e.hidden), true);
  // Somebody who opens it in the frame all the same is shown the way out of it.
  await tab.page.goto(`${ingress.origin}/panel?frame=${new URL(ingress.url).pathname}jobs/${id}/swap`);
  const inside = await (await tab.page.waitForSelector('iframe')).contentFrame();
  await inside.waitForSelector('#whole:not([hidden]) a[target=_top]');
  assert.equal(await inside.$eval('#by-hand', (e) => e.offsetParent !== null), true);
  allInside(tab);
  await tab.close();
});
