// Open pages show what is, however it reaches them (face §3, §14.1, 4, 10, 15, 17–20), against the server of states.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { PNG } from 'pngjs';
import { startIngress } from './ingress.mjs';
import { exists, follow, launch, open, parts, tabTheme, text } from './lib/browser.mjs';
import { axe, openDetails } from './lib/checks.mjs';
import { ask, startLook } from './lib/servers.mjs';
import { SLACK, until } from './lib/wait.mjs';

let browser;
let look;
let ingress;

before(async () => {
  [look, browser] = await Promise.all([startLook(), launch()]);
  ingress = await startIngress(look.url);
}, { timeout: 600_000 });

after(async () => {
  await browser?.close();
  await ingress?.end();
  await look?.end();
});

const HTMX = ['*/assets/htmx*'];

/** A tab that is signed in behind ingress and stands at `path`. */
async function inIngress(path, options = {}) {
  const tab = await open(browser, options);
  await tab.page.goto(ingress.page());
  await tab.page.goto(ingress.url + path);
  return tab;
}

async function direct(path, options = {}) {
  const tab = await open(browser, options);
  await tab.page.goto(look.url + path);
  return tab;
}

/** Milliseconds until every one of the tabs shows `words` in its heading. */
async function showsAfter(words, tabs) {
  const begun = Date.now();
  const one = async (tab) => {
    await until(`“${words}” shows`, async () => (await text(tab, 'main')).includes(words), { within: 40_000, every: 100 });
    return Date.now() - begun;
  };
  return Promise.all(tabs.map(one));
}

test('14.4 an end of job shows within 2 s; with events held back 5 s; with htmx blocked 15 s; 14.3 without JavaScript by itself', async (t) => {
  const ends = [['done', 'The new card is ready'], ['failed', 'The card was pulled out']];
  for (const [state, words] of ends) {
    await look.set('running');
    ingress.holdEvents = true;
    const tabs = await Promise.all([
      direct('jobs/7'),
      inIngress('jobs/7'),
      direct('jobs/7', { blocked: HTMX }),
      direct('jobs/7', { js: false }),
    ]);
    await until('events arrive', () => tabs[0].page.$eval('#pulse', (e) => /every 20s/.test(e.innerHTML)));
    await look.set(state);
    const [live, held, blocked, plain] = await showsAfter(words, tabs);
    ingress.holdEvents = false;
    t.diagnostic(`${state}: live ${live} ms, held back ${held} ms, htmx blocked ${blocked} ms, no JavaScript ${plain} ms`);
    await Promise.all(tabs.map((tab) => tab.close()));
    assert.ok(live <= 2_000 + SLACK, `live: ${live} ms`);
    assert.ok(held <= 5_000 + SLACK, `events held back: ${held} ms`);
    assert.ok(blocked <= 15_000 + SLACK, `htmx blocked: ${blocked} ms`);
    assert.ok(plain <= 15_000 + SLACK, `no JavaScript: ${plain} ms`);
  }
});

const HOME = ['job', 'system', 'disks'];
const STILL = { 'prefers-reduced-motion': 'reduce' };
const JOB = ['state', 'tick', 'acts', 'steps'];
const calm = (shown) => JSON.stringify(shown).replace(/\d+ (seconds?|minutes?) ago/g, 'ago').replace(/\d\d:\d\d/g, 'time');

test('3 an open home page shows in every state what a fresh one shows; 14.1 axe-core finds nothing after the swaps', async () => {
  await look.set('usual');
  const tab = await direct('', { theme: 'light' });
  // Colours that fade have no contrast yet.
  await tabTheme(tab, 'light', STILL);
  for (const state of look.list.states) {
    await look.set(state);
    const fresh = await direct('', { context: tab.context });
    const wanted = calm(await parts(fresh, HOME));
    let shown;
    await until(`the open page shows “${state}”`, async () => (shown = calm(await parts(tab, HOME))) === wanted, { within: 5_000 })
      .catch((error) => assert.equal(shown, wanted, error.message));
    await openDetails(tab);
    assert.deepEqual(await axe(tab), [], state);
    await fresh.close();
  }
  assert.deepEqual(tab.wrong, []);
  await tab.close();
});

test('3 an open job page shows every end as a fresh one does; 14.1 axe-core finds nothing after the swaps', async () => {
  const states = look.list.states.filter((state) => /^(download|pausing|silent|commit|stopping|cancelled|failed|interrupted|done)$/.test(state));
  assert.equal(states.length, 9);
  for (const state of states) {
    await look.set('running');
    const tab = await direct('jobs/7', { theme: 'dark' });
    await tabTheme(tab, 'dark', STILL);
    await look.set(state);
    const fresh = await direct('jobs/7', { context: tab.context });
    const wanted = calm(await parts(fresh, JOB));
    await until(`the open page shows “${state}”: ${wanted}`, async () => calm(await parts(tab, JOB)) === wanted, { within: 5_000 });
    // What was said stays where it was said.
    assert.deepEqual(await axe(tab), [], state);
    assert.deepEqual(tab.wrong, [], state);
    await fresh.close();
    await tab.close();
  }
});

test('3 pages that were left keep no connection: twelve live pages one after the other', async () => {
  await look.set('running');
  const tab = await direct('');
  const port = new URL(look.url).port;
  for (let n = 0; n < 6; n += 1) {
    await follow(tab, '#watch');
    await until('the stream stands', () => tab.page.$eval('#pulse', (e) => /every 20s/.test(e.innerHTML)));
    // A browser opens six connections to a host; if left pages keep theirs, the seventh page never comes.
    await follow(tab, 'main a[href="../"]');
    await until('the stream stands', () => tab.page.$eval('#pulse', (e) => /every 20s/.test(e.innerHTML)));
  }
  const held = execFileSync('ss', ['-tnH', 'state', 'established', `dport = :${port}`], { encoding: 'utf8' }).trim().split('\n');
  assert.ok(held.length <= 4, `${held.length} connections are open`);
  await tab.page.goBack();
  await until('a page come back to lives again', () => tab.page.$eval('#pulse', (e) => /every 20s/.test(e.innerHTML)));
  await look.set('done');
  await showsAfter('The new card is ready', [tab]);
  await tab.close();
});

/** The frame of the app inside Home Assistant's page. */
async function framed(options, address) {
  const tab = await open(browser, options);
  await tab.page.goto(address);
  const frame = await until('the app is in its frame', () => tab.page.frames().find((f) => f.url().startsWith(ingress.url)));
  await frame.waitForSelector('h1');
  tab.theme = () => frame.evaluate(() => ({ said: document.documentElement.getAttribute('data-theme'), ground: getComputedStyle(document.body).backgroundColor }));
  return tab;
}

const DARK = 'rgb(17, 17, 17)';
const LIGHT = 'rgb(250, 250, 250)';

test('14.10 dark parent on light OS: dark; and the reverse; by face.js alone', async () => {
  await look.set('usual');
  for (const [ground, os, said, shown] of [['dark', 'light', 'dark', DARK], ['light', 'dark', 'light', LIGHT]]) {
    const tab = await framed({ theme: os }, ingress.page(ground));
    assert.deepEqual(await tab.theme(), { said, ground: shown }, `${ground} parent, ${os} OS`);
    await tab.close();
  }
});

test('14.10 dark parent on light OS: dark, also where face.js does not come', async () => {
  const tab = await framed({ blocked: ['*/assets/face*'] }, ingress.page('dark'));
  assert.deepEqual(await tab.theme(), { said: null, ground: DARK });
  await tab.close();
});

test('14.10 a parent without a ground, or one that throws, changes nothing', async () => {
  // Cookies know no ports: both have to know the same sessions.
  const foreign = await startIngress(look.url, { sessions: ingress.sessions });
  ingress.foreignParent = true;
  const elsewhere = `${foreign.origin}/panel?ground=dark&frame=${encodeURIComponent(ingress.url)}`;
  for (const [what, address] of [['no ground', ingress.page('none')], ['another origin', elsewhere]]) {
    for (const [os, shown] of [['light', LIGHT], ['dark', DARK]]) {
      const seen = await framed({ theme: os }, address);
      assert.deepEqual(await seen.theme(), { said: null, ground: shown }, `${what}, ${os} OS`);
      assert.deepEqual(seen.wrong.filter((line) => /script|policy/.test(line)), [], what);
      await seen.close();
    }
  }
  ingress.foreignParent = false;
  await foreign.end();
});

test('14.15 bad form: 422, title “Error: …”, focus on the summary, links focus fields, values kept; axe-core finds nothing', async () => {
  await look.set('many');
  for (const js of [true, false]) {
    const tab = await direct('card?disk=sdb', { js, theme: 'light' });
    await tab.page.type('#size', '12');
    const answer = await follow(tab, 'form button[type=submit]');
    assert.equal(answer.status(), 422);
    assert.match(await tab.page.title(), /^Error: /);
    assert.equal(await tab.page.$eval('#size', (e) => e.value), '12');
    assert.match(await text(tab, '[role=alert]'), /Tick the box[\s\S]*12 GB does not fit this disk/);
    for (const field of ['agree', 'size']) {
      const [invalid, about] = await tab.page.$eval(`#${field}`, (e) => [e.getAttribute('aria-invalid'), e.getAttribute('aria-describedby')]);
      assert.equal(invalid, 'true');
      const words = await Promise.all(about.split(' ').map((id) => text(tab, `#${id}`)));
      const link = await text(tab, `[role=alert] a[href="#${field}"]`);
      assert.ok(words.some((said) => said.includes(link)), `the same words at the field: ${link} / ${words}`);
    }
    const above = await tab.page.evaluate(() => {
      const alert = document.querySelector('[role=alert]');
      return Boolean(alert.compareDocumentPosition(document.querySelector('h1')) & Node.DOCUMENT_POSITION_FOLLOWING);
    });
    assert.ok(above, 'the summary stands above h1');
    if (js) {
      assert.equal(await tab.page.evaluate(() => document.activeElement.getAttribute('role')), 'alert');
      assert.deepEqual(await axe(tab), []);
    }
    await tab.page.click('[role=alert] a[href="#size"]');
    assert.equal(await tab.page.evaluate(() => document.activeElement.id), 'size');
    assert.deepEqual(tab.wrong.filter((line) => !/422/.test(line)), []);
    await tab.close();
  }
});

test('14.17 focus on a vanished disk goes to the heading', async () => {
  await look.set('many');
  const tab = await direct('');
  await until('the stream stands', () => tab.page.$eval('#pulse', (e) => /every 20s/.test(e.innerHTML)));
  await tab.page.focus('#disks a[href*="disk=sdc"]');
  await look.set('usual');
  await until('the disk is gone', async () => !(await exists(tab, '#disks a[href*="disk=sdc"]')));
  const at = await until('focus is somewhere', () => tab.page.evaluate(() => document.activeElement !== document.body && `${document.activeElement.tagName} ${Boolean(document.activeElement.closest('#disks'))}`));
  assert.equal(at, 'H2 true');
  await tab.page.focus('#disks a[href*="disk=sdb"]');
  await look.set('many');
  await until('the disk is there again', () => exists(tab, '#disks a[href*="disk=sdc"]'));
  assert.match(await tab.page.evaluate(() => document.activeElement.getAttribute('href') ?? ''), /disk=sdb/, 'focus on a disk that stays, stays');
  await tab.close();
});

test('14.18 refused disks list all reasons', async () => {
  await look.set('many');
  const tab = await direct('', { js: false });
  const refused = await text(tab, '#disks');
  for (const reason of ['Too small', 'write-protected', 'looks the same as another disk', 'This Home Assistant runs from it', 'holds this system', 'built in', 'may not open it yet']) {
    assert.ok(refused.includes(reason), `${reason} is missing in ${refused}`);
  }
  await tab.close();
});

test('14.19 the stop page says what becomes of the card, as the stage has it', async () => {
  const cases = [['download', 'The card is unchanged.'], ['running', 'The card will be empty then and can be used again.'], ['commit', 'This takes a few seconds and cannot be stopped.']];
  for (const [state, words] of cases) {
    await look.set(state);
    const { text: html } = await ask(`${look.url}jobs/7/stop`);
    assert.ok(html.includes(words), `${state}: ${words} is missing`);
    assert.equal(html.includes('<button class="red"'), state !== 'commit', state);
    const page = (await ask(`${look.url}jobs/7`)).text;
    assert.equal(page.includes('Nothing on the card has been changed so far.'), state === 'download', state);
  }
});

/** Stops of the Tab key from the top of a page: { words, top, left, outline }, as a person meets them. */
async function stops(tab) {
  const found = [];
  await tab.page.evaluate(() => document.activeElement.blur());
  for (let n = 0; n < 60; n += 1) {
    await tab.page.keyboard.press('Tab');
    const stop = await tab.page.evaluate(() => {
      const e = document.activeElement;
      if (e === document.body || e.dataset.met) return null;
      e.dataset.met = 'yes';
      const group = e.type === 'radio' ? e.name : '';
      const shown = e.type === 'checkbox' || e.type === 'radio' ? e.closest('label') : e;
      const { top, left, height } = shown.getBoundingClientRect();
      const { outlineStyle, outlineWidth } = getComputedStyle(e);
      const order = [...document.querySelectorAll('*')].indexOf(e);
      return { words: e.outerHTML.slice(0, 80), group, order, top: top + scrollY, bottom: top + height + scrollY, left, outline: outlineStyle === 'none' ? 0 : parseFloat(outlineWidth) };
    });
    if (!stop) break;
    found.push(stop);
  }
  return found;
}

test('14.20 tab order = reading order, everything is reached, focus is visible', async () => {
  for (const [state, path] of [['many', ''], ['many', 'card?disk=sdb'], ['running', 'jobs/7'], ['running', 'jobs/7/stop'], ['failed', 'jobs/7']]) {
    await look.set(state);
    const tab = await direct(path, { width: 320 });
    await openDetails(tab);
    await tab.page.bringToFront();
    const met = await stops(tab);
    const able = await tab.page.$$eval('a[href], button, input:not([type=hidden]):not([disabled]), select, textarea, summary', (all) => {
      const radios = new Set();
      return all.filter((e) => e.getClientRects().length && (e.type !== 'radio' || (!radios.has(e.name) && radios.add(e.name)))).length;
    });
    const where = `${state} /${path}`;
    assert.ok(met.length >= able, `${where}: ${met.length} of ${able} are reached`);
    for (const [n, stop] of met.entries()) {
      assert.ok(stop.outline >= 2, `${where}: no outline at ${stop.words}`);
      const before = met[n - 1];
      if (!before) continue;
      assert.ok(stop.order > before.order, `${where}: ${stop.words} comes after ${before.words}`);
      // Below the one before, or right of it in the same line; the skip link stands above all once it shows.
      assert.ok(n === 1 || stop.top >= before.bottom - 4 || stop.left > before.left || stop.bottom > before.bottom, `${where}: ${stop.words} stands before ${before.words}`);
    }
    await tab.close();
  }
});

test('14.20 forced colours keep the bar', async () => {
  await look.set('running');
  for (const theme of ['light', 'dark']) {
    const tab = await direct('jobs/7', { width: 768 });
    await tabTheme(tab, theme, { 'forced-colors': 'active' });
    assert.ok(await tab.page.evaluate(() => matchMedia('(forced-colors: active)').matches));
    const bar = await tab.page.$('progress');
    const image = PNG.sync.read(Buffer.from(await bar.screenshot()));
    const colour = (share) => {
      const at = (Math.floor(image.height / 2) * image.width + Math.floor(image.width * share)) * 4;
      return [...image.data.subarray(at, at + 3)];
    };
    const [done, rest] = [colour(0.2), colour(0.8)];
    const apart = Math.max(...done.map((value, n) => Math.abs(value - rest[n])));
    assert.ok(apart > 60, `${theme}: what is done, ${done}, and what is not, ${rest}, look the same`);
    await tab.close();
  }
});

test('14.20 reduced motion stops transitions', async () => {
  await look.set('running');
  const moving = (tab) => tab.page.$$eval('*', (all) => all.filter((e) => {
    const style = getComputedStyle(e);
    return style.transitionDuration.split(', ').some((time) => parseFloat(time) > 0) || style.animationName !== 'none';
  }).length);
  const tab = await direct('jobs/7');
  await tabTheme(tab, 'light', { 'prefers-reduced-motion': 'no-preference' });
  assert.ok((await moving(tab)) > 0, 'something moves for those who like it');
  await tabTheme(tab, 'light', { 'prefers-reduced-motion': 'reduce' });
  assert.equal(await moving(tab), 0);
  await tab.close();
});
