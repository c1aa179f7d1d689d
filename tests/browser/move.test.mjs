// The move to its end, in a browser: old system, nothing, new system on the same address, restore, home (FN-2, face §11).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exists, launch, open } from './lib/browser.mjs';
import { axe } from './lib/checks.mjs';
import { HOST, hurry, recorded, startMove } from './lib/move.mjs';
import { startLook } from './lib/servers.mjs';
import { until } from './lib/wait.mjs';

const SLUG = '0a1b2c3d';
const SPEED = 10;
let look;
before(async () => {
  look = await startLook();
  await look.set('done');
}, { timeout: 600_000 });
after(() => look?.end());

const said = (tab) => tab.page.$$eval('[data-say]:not([hidden])', (all) => all.map((e) => e.getAttribute('data-say')).join(' '));
const saidSoFar = (tab) => tab.page.evaluate(() => window.saidSoFar);
const words = (tab) => tab.page.$eval('#finish', (e) => e.innerText);
const saying = (tab, what) => until(`the page says “${what}”`, async () => (await said(tab)) === what, { within: 20_000 })
  .catch(async (error) => assert.fail(`${error.message}; it says “${await said(tab)}”`));
const shown = (tab, selector) => tab.page.$eval(selector, (e) => e.offsetParent !== null);
const holds = (tab) => tab.page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));

async function walk(port, then) {
  const move = await startMove({ pages: look.url, slug: SLUG, port, speed: SPEED });
  const browser = await launch([`--host-resolver-rules=${move.rules}`]);
  try {
    const tab = await open(browser, {});
    await tab.page.evaluateOnNewDocument(hurry, SPEED);
    await tab.page.goto(`${move.url}jobs/7/swap`);
    await then(move, tab, browser);
  } finally {
    await browser.close();
    move.end();
  }
}

test('from port 80: the cards are swapped, the home comes back, one request was sent', () => walk(80, async (move, tab) => {
  await saying(tab, 'old-home');
  assert.equal(await holds(tab), false, 'nothing is lost by leaving yet');
  assert.deepEqual(await axe(tab), []);
  const second = await open(null, { context: tab.context });
  await second.page.evaluateOnNewDocument(hurry, SPEED);
  await second.page.goto(`${move.url}jobs/7/swap`);
  move.mode = 'off';
  await saying(tab, 'booting');
  await until('minutes are counted', async () => /for \d+ minutes|for a minute/.test(await words(tab)), { within: 20_000 });
  move.mode = 'landing';
  await saying(tab, 'landing');
  assert.equal(await holds(tab), true, 'leaving is asked about');
  assert.equal(move.posts.length, 0);
  move.replies = ['restore-supervisor-starting', recorded('restore-ok')];
  move.mode = 'new';
  await until('the restore was asked for', () => move.posts.length === 2, { within: 20_000 });
  await until('it runs', async () => /restoring|restarting/.test(await said(tab)), { within: 20_000 });
  assert.equal(await shown(tab, '#by-hand'), false);
  await saying(tab, 'done');
  const course = (await saidSoFar(tab)).join(' ');
  // Which of the two tabs sends, and what is over too soon to be seen, is not fixed.
  assert.match(course, /^old-home ((booting|landing|starting) )+((restoring|supervisor-starting|restarting) )+done$/);
  await saying(second, 'done');
  assert.match(await words(tab), /Your Home Assistant runs from the new card/);
  assert.match(await words(tab), new RegExp(`http://${HOST}/`));
  assert.equal(await shown(tab, '#finish-open'), true);
  assert.equal(await holds(tab), false);
  assert.deepEqual(await axe(tab), []);
  assert.equal(move.posts.length, 2, 'the second tab only watched');
  const wanted = recorded('restore-ok').restore.request.body;
  for (const { text, kind } of move.posts) {
    assert.deepEqual(JSON.parse(text), { ...wanted, backup_id: SLUG });
    assert.match(kind, /^application\/json/);
  }
}));

test('from port 8123, blind: sent as plain text, refused once, sent again, and seen when the home is back', () => walk(8123, async (move, tab) => {
  await saying(tab, 'old-home');
  move.mode = 'off';
  await saying(tab, 'booting');
  assert.equal(move.posts.length, 0);
  move.replies = ['restore-supervisor-starting', recorded('restore-ok-to-8123')];
  move.mode = 'new';
  await until('it was asked for again', () => move.posts.length === 2, { within: 20_000 });
  await saying(tab, 'done');
  assert.ok((await saidSoFar(tab)).includes('unread'), 'a refusal that cannot be read is said');
  for (const { text, kind, origin } of move.posts) {
    assert.equal(JSON.parse(text).backup_id, SLUG);
    assert.deepEqual(JSON.parse(text).restore_addons, ['core_mosquitto']);
    assert.match(kind, /^text\/plain/);
    assert.equal(origin, `http://${HOST}:8123`);
  }
  assert.equal(move.posts.length, 2);
}));

test('a restore that failed after Core was stopped: said, and tried again only when asked', () => walk(80, async (move, tab) => {
  await saying(tab, 'old-home');
  move.mode = 'off';
  await saying(tab, 'booting');
  move.replies = [recorded('restore-fails-after-core-stopped'), recorded('restore-ok')];
  move.mode = 'new';
  await saying(tab, 'failed-after');
  assert.equal(move.posts.length, 1);
  assert.equal(await shown(tab, '#by-hand'), true, 'the manual ways are there');
  assert.deepEqual(await axe(tab), []);
  await tab.page.click('#finish-again');
  await until('it was asked for again', () => move.posts.length === 2, { within: 20_000 });
  await saying(tab, 'done');
}));

test('the old card still in: the home that answers is left alone', () => walk(80, async (move, tab) => {
  await saying(tab, 'old-home');
  move.mode = 'off';
  await saying(tab, 'booting');
  move.mode = 'back';
  await saying(tab, 'old-home');
  assert.match(await words(tab), /old card/);
  assert.equal(move.posts.length, 0);
}));

test('by another way, or without JavaScript, the printed steps stay', async () => {
  const browser = await launch();
  try {
    const tab = await open(browser, {});
    await tab.page.goto(`${look.url}jobs/7/swap`);
    assert.equal(await shown(tab, '#whole'), false);
    await saying(tab, 'elsewhere');
    assert.equal(await shown(tab, '#by-hand'), true);
    assert.deepEqual(await axe(tab), []);
    assert.deepEqual(tab.wrong, []);
    const plain = await open(browser, { js: false });
    await plain.page.goto(`${look.url}jobs/7/swap`);
    assert.equal(await exists(plain, '#by-hand:not([hidden])'), true);
    assert.equal(await said(plain).catch(() => ''), '');
  } finally {
    await browser.close();
  }
});
