// The real thing without ingress: a card by keyboard, what is refused, pulling and plugging, a power cut
// (face §14.5, 11–14, 16, 17, 19, 20, 23).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, parts, text } from './lib/browser.mjs';
import { axe } from './lib/checks.mjs';
import { begin, ended, formFor, keysThrough, PRINTED, send, WHOLE } from './lib/flows.mjs';
import { ask, startDemo } from './lib/servers.mjs';
import { SLACK, until } from './lib/wait.mjs';
import { note, noted } from './lib/watch.mjs';

let browser;
let demo;

before(async () => {
  // Slow enough for thirty ticks, fast enough for a test.
  [demo, browser] = await Promise.all([startDemo({ speed: '30,60' }), launch()]);
}, { timeout: 600_000 });

after(async () => {
  await browser?.close();
  await demo?.end();
});

/** Out and in again: a finished card is kept from being written again until it was out. */
async function replug(card) {
  await demo.card('pull', card);
  await until('the card is out', async () => (await demo.disks()).length === 0);
  await demo.card('plug', card);
  await until('the card is in again', async () => (await demo.disks()).length === 1, { within: 30_000 });
}

const noJob = async () => assert.equal((await ask(`${demo.url}api/jobs/current`)).status, 404, 'a job was begun');

test('14.16 no agree, or wrong size: no job; 14.15 values are kept', async () => {
  const { form, asksSize } = await formFor(demo.url, 'sda');
  assert.ok(asksSize, 'plugged in before the app started: the size is asked');
  const cases = [
    [{ size: PRINTED }, /Tick the box to say/],
    [{ agree: 'yes' }, /Type the size printed on the card/],
    [{ agree: 'yes', size: '64' }, /64 GB does not fit this disk/],
    [{ agree: 'yes', size: PRINTED, backup: 'nothing' }, /Choose a backup from the list/],
  ];
  for (const [fields, words] of cases) {
    const answer = await send(demo.url, { ...form, ...fields });
    assert.equal(answer.status, 422, JSON.stringify(fields));
    assert.match(answer.text, words);
    assert.match(answer.text, /<title>Error: /);
    if (fields.agree) assert.match(answer.text, /name="agree" value="yes" checked/);
    await noJob();
  }
});

test('14.16 another disk between confirm and POST: 409, “The disk has changed”, nothing written', async () => {
  const { form } = await formFor(demo.url, 'sda');
  await replug('sda');
  const stale = await send(demo.url, { ...form, agree: 'yes', size: PRINTED });
  assert.equal(stale.status, 409);
  assert.match(stale.text, /The disk has changed/);
  const now = (await formFor(demo.url, 'sda')).form;
  const other = await send(demo.url, { ...now, seen: 'v1-00000000000000000000000000000000', agree: 'yes', size: PRINTED });
  assert.equal(other.status, 409);
  assert.match(other.text, /The disk has changed/);
  await noJob();
});

test('14.16 a form from before a restart, or without a token: refused, no job', async () => {
  const { form } = await formFor(demo.url, 'sda');
  for (const token of ['', '0'.repeat(32)]) {
    const answer = await send(demo.url, { ...form, token, agree: 'yes', size: PRINTED });
    assert.ok([403, 409].includes(answer.status), `${answer.status}`);
    await noJob();
  }
});

test('PK-4 forms posted by another site are refused', async () => {
  const { form } = await formFor(demo.url, 'sda');
  for (const origin of ['https://evil.example', 'null', `http://127.0.0.1:${demo.port + 1}`]) {
    const answer = await send(demo.url, { ...form, agree: 'yes', size: PRINTED }, { origin });
    assert.equal(answer.status, 403, origin);
    await noJob();
  }
  // As a browser does it: a page of another port sends the form with all it could know.
  const tab = await open(browser);
  await tab.page.goto('data:text/html,<title>evil</title>');
  const [answer] = await Promise.all([tab.page.waitForNavigation(), tab.page.evaluate((action, fields) => {
    const evil = document.createElement('form');
    Object.assign(evil, { method: 'post', action });
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement('input');
      Object.assign(input, { name, value });
      evil.append(input);
    }
    document.body.append(evil);
    evil.submit();
  }, `${demo.url}card`, { ...form, agree: 'yes', size: PRINTED })]);
  assert.equal(answer.status(), 403);
  await noJob();
  await tab.close();
});

test('14.16 size is asked exactly where the risk is higher', async () => {
  assert.equal((await formFor(demo.url, 'sda')).asksSize, false, 'one empty card, just plugged in');
  await demo.card('plug', 'sdb');
  await until('both cards are in', async () => (await demo.disks()).length === 2);
  assert.equal((await formFor(demo.url, 'sda')).asksSize, true, 'two usable disks');
  await demo.card('pull', 'sdb');
  await until('one card is in', async () => (await demo.disks()).length === 1);
});

test('14.17 plug and pull change #disks within 2 s, announced once', async (t) => {
  const tab = await open(browser, { watch: note });
  await tab.page.goto(demo.url);
  await until('the stream stands', () => tab.page.$eval('#pulse', (e) => /every 20s/.test(e.innerHTML)));
  for (const [act, there, said] of [['plug', true, /Samsung EVO Plus, .* plugged in\. 2 disks can be used\./], ['pull', false, /Samsung EVO Plus, .* pulled out\. /]]) {
    const from = Date.now();
    await demo.card(act, 'sdb');
    await until(`the page shows it after ${act}`, async () => (await text(tab, '#disks')).includes('Samsung') === there, { every: 25 });
    const took = Date.now() - from;
    t.diagnostic(`${act}: ${took} ms`);
    assert.ok(took <= 2_000 + SLACK, `${act}: ${took} ms`);
    // At most one announcement in 20 s: the second may have to wait.
    const says = await until(`it is announced: ${said}`, async () => {
      const found = (await noted(tab)).filter(({ part, text: words }) => part === 'say' && said.test(words));
      return found.length && found;
    }, { within: 25_000 });
    assert.equal(says.length, 1);
  }
  assert.deepEqual(tab.wrong, []);
  await tab.close();
});

/** What is read out of a whole job: filled by the next test, judged by those after it. */
const whole = {};

test('14.20 keyboard only, from home to done; 14.5 second tab and reload show the same', { timeout: WHOLE + 60_000 }, async () => {
  const keys = await open(browser, { watch: note });
  await keys.page.goto(demo.url);
  whole.begun = Date.now();
  await keysThrough(keys, 'sda');
  const id = /jobs\/(\d+)$/.exec(keys.page.url())[1];
  const url = `${demo.url}jobs/${id}`;
  const [second, quiet] = await Promise.all([open(browser, { watch: note }), open(browser, { watch: note })]);
  await Promise.all([second.page.goto(url), quiet.page.goto(`${url}?quiet=1`)]);
  await until('the second tab shows the same', async () => JSON.stringify(await parts(second, ['state', 'acts'])) === JSON.stringify(await parts(keys, ['state', 'acts'])));

  // Somebody is busy on the second tab: details open, text selected, focus on Stop.
  await second.page.evaluate(() => {
    document.querySelector('main details').open = true;
    const words = [...document.querySelectorAll('#acts p, main p')].find((e) => /close this page/.test(e.textContent));
    window.getSelection().selectAllChildren(words);
    document.getElementById('stop').focus({ preventScroll: true });
    window.from = window.noted.length;
  });
  const busy = () => second.page.evaluate(() => ({
    ticks: window.noted.slice(window.from).filter(({ part }) => part === 'tick').length,
    focus: document.activeElement.id,
    open: document.querySelector('main details').open,
    selected: String(window.getSelection()),
  }));
  const first = await busy();
  whole.busy = await until('thirty ticks have passed', async () => {
    const now = await busy();
    if (now.ticks < 30) whole.last = now;
    return now.ticks >= 30 && now;
  }, { within: WHOLE, every: 200 }).catch((error) => ({ error, last: whole.last }));
  whole.first = first;

  whole.job = await ended(demo, id);
  whole.id = id;
  assert.equal(whole.job.state, 'done', JSON.stringify(whole.job.problem));
  const ready = (tab) => until('every tab says that it is done', async () => (await text(tab, '#state')).includes('The new card is ready'), { within: 10_000 });
  await Promise.all([ready(keys), ready(second)]);
  // Judged by a test of its own.
  await ready(quiet).catch(() => null);
  whole.keys = await noted(keys);
  whole.quiet = await noted(quiet);
  whole.nodes = await keys.page.evaluate(() => ['say', 'shout'].map((part) => window.nodes[part] !== null && window.nodes[part] === document.getElementById(part)));
  whole.wrong = [...keys.wrong, ...second.wrong, ...quiet.wrong];
  assert.deepEqual(await axe(keys), [], '14.1 after the swaps');
  const shown = await parts(keys, ['state', 'acts', 'steps']);
  await keys.page.reload();
  assert.deepEqual(await parts(keys, ['state', 'acts', 'steps']), shown, 'a reload shows the same');
  await Promise.all([keys, second, quiet].map((tab) => tab.close()));
});

test('14.6 no CSP report and no console error through a whole job', () => assert.deepEqual(whole.wrong, []));

test('14.12 focus on Stop, open details and selected text survive 30 ticks', () => {
  assert.equal(whole.busy?.error?.message, undefined, JSON.stringify(whole.busy?.last));
  const { ticks, ...held } = whole.busy;
  assert.deepEqual(held, { focus: 'stop', open: true, selected: whole.first.selected }, `after ${ticks} ticks`);
  assert.match(held.selected, /close this page/);
});

const LEFT = /^(A few seconds left|About a minute left|About ([2-9]|10|15|20|25|30|35|40|45|50|55) minutes left|About (an hour|\d+ hours?) left|Time left is not known yet|How long the backup takes is not known\.?.*)$/i;

test('14.14 the bar never falls, 100 % only with done, no time before 10 s, words only as promised', (t) => {
  const ticks = whole.keys.filter(({ part, percent }) => part === 'tick' && percent !== null);
  t.diagnostic(`${ticks.length} ticks`);
  assert.ok(ticks.length >= 20, `${ticks.length} ticks`);
  for (const [n, tick] of ticks.entries()) {
    if (n > 0) assert.ok(tick.percent >= ticks[n - 1].percent, `from ${ticks[n - 1].percent} to ${tick.percent}`);
    assert.ok(tick.percent <= 99, `${tick.percent} % before done`);
    const words = tick.text.split('\n').find((line) => /left|known/i.test(line)) ?? '';
    assert.match(words, LEFT);
    if (tick.t < whole.begun + 10_000) assert.match(words, /not known/, `${tick.t - whole.begun} ms after the beginning`);
    assert.match(tick.title, new RegExp(`^${tick.percent} % · `), 'the title tells');
  }
  assert.ok(ticks.some(({ text: words }) => /minutes? left|seconds left/i.test(words)), 'the time left is told some day');
});

test('14.11 #say never twice in 20 s, at 25/50/75 %; #shout only as promised; both stay the same nodes', (t) => {
  const said = (part) => whole.keys.filter((now) => now.part === part && now.text !== '');
  const says = said('say');
  t.diagnostic(`${says.length} announcements: ${says.map(({ t: at, text: words }) => `${Math.round((at - whole.begun) / 1000)} s “${words}”`).join(' · ')}`);
  const atLoad = whole.keys.find(({ part }) => part === 'say');
  assert.equal(atLoad.text, '', 'empty at load');
  assert.ok(says.length >= 2);
  for (const [n, { t: at, text: words }] of says.entries()) {
    assert.match(words, /\w{3}/, 'an announcement has words');
    assert.notEqual(words, says[n - 1]?.text, `said twice, ${at - says[n - 1]?.t} ms apart`);
    // The end is told at once. Half a second: what lies between the server's clock and this page's.
    if (n > 0 && n < says.length - 1) assert.ok(at - says[n - 1].t >= 19_500, `after ${at - says[n - 1].t} ms: ${says[n].text}`);
  }
  const minutes = (says.at(-1).t - whole.begun) / 60_000;
  assert.ok(says.length <= 3 * minutes + 2, `${says.length} in ${minutes.toFixed(1)} minutes`);
  assert.ok(says.some(({ text: words }) => /quarter|half done/i.test(words)), 'a quarter is told');
  assert.deepEqual(said('shout'), []);
  assert.deepEqual(whole.nodes, [true, true]);
});

test('14.13 ?quiet=1: nothing changes outside #state, #steps, #acts, #say; it ends right', () => {
  const end = whole.quiet.findIndex(({ part, text: words }) => part === 'state' && words.includes('The new card is ready'));
  assert.ok(end > 0, 'it ends by itself');
  const start = whole.quiet.findLastIndex(({ t: at }) => at <= whole.quiet[0].t + 50);
  // The hidden pulse is nothing that anybody sees; the bar goes when the job does.
  const others = whole.quiet.slice(start + 1).filter(({ part, t: at }) => !['state', 'steps', 'acts', 'say', 'shout', 'pulse'].includes(part) && !(part === 'tick' && at >= whole.quiet[end].t - 1_000));
  assert.deepEqual(others.map(({ part, text: words }) => `${part}: ${words}`), []);
});

test('14.19 “Nothing … changed” shows exactly until write begins', () => {
  const states = whole.keys.filter(({ part, text: words }) => part === 'state' && /^Step \d/.test(words));
  assert.ok(states.length >= 2);
  const nothing = states.map(({ text: words }) => words.includes('Nothing on the card has been changed so far.'));
  assert.equal(nothing[0], true, states[0].text);
  const steps = states.map(({ text: words }) => Number(/^Step (\d)/.exec(words)[1]));
  for (const [n, step] of steps.entries()) {
    if (step >= 4) assert.equal(nothing[n], false, states[n].text);
    if (!nothing[n]) assert.match(states[n].text, /Do not pull the card/);
  }
});

test('14.23 log: no token, password, Wi-Fi name; ASCII; sd-swap-job-N.txt', async () => {
  const log = await ask(`${demo.url}jobs/${whole.id}/log.txt`);
  assert.equal(log.status, 200);
  assert.match(log.headers['content-type'], /^text\/plain/);
  assert.match(log.headers['content-disposition'] ?? '', new RegExp(`filename="?sd-swap-job-${whole.id}\\.txt"?`));
  assert.ok(log.bytes.length > 200 && log.bytes.every((byte) => byte < 128), 'ASCII');
  await replug('sda');
  const { form } = await formFor(demo.url, 'sda');
  assert.ok(!log.text.includes(form.token));
  assert.doesNotMatch(log.text, /Bearer|SUPERVISOR_TOKEN|psk=|password=|ssid=/i);
});

test('14.16 double POST: one job; 14.5 restart in mid-job: open tabs say Interrupted within 25 s, a new one at once', { timeout: 200_000 }, async (t) => {
  await replug('sda');
  const { form } = await formFor(demo.url, 'sda');
  const sent = { ...form, agree: 'yes', size: PRINTED };
  const [one, two] = await Promise.all([send(demo.url, sent), send(demo.url, sent)]);
  assert.deepEqual([one.status, two.status], [303, 303], one.text.slice(0, 500));
  assert.equal(one.headers.location, two.headers.location);
  const id = /jobs\/(\d+)/.exec(one.headers.location)[1];
  const url = `${demo.url}jobs/${id}`;
  const again = await send(demo.url, { ...(await formFor(demo.url, 'sda')).form, agree: 'yes', size: PRINTED }).catch(() => null);
  assert.ok(!again || again.status === 409 || again.headers.location === one.headers.location, 'a second job is refused');
  await until('the card is being written', async () => (await demo.job(id)).steps.some((step) => step.id === 'write' && step.state === 'running'), { within: 60_000 });

  const tabs = await Promise.all([open(browser), open(browser, { js: false }), open(browser)]);
  await Promise.all([tabs[0].page.goto(url), tabs[1].page.goto(url), tabs[2].page.goto(`${url}?quiet=1`)]);
  await demo.kill();
  await until('the page says that the app is away', () => tabs[0].page.$eval('#offline', (e) => !e.hidden), { within: 40_000 });
  assert.deepEqual(await axe(tabs[0]), [], '14.1 while the app is away');
  await demo.up();
  const up = Date.now();
  const fresh = await open(browser);
  await fresh.page.goto(url);
  assert.match(await text(fresh, '#state'), /The app was restarted/);
  assert.match(await fresh.page.title(), /Interrupted/);
  const took = async (tab) => {
    await until('an open tab says so', async () => /The app was restarted/.test(await text(tab, '#state')), { within: 90_000, every: 100 });
    return Date.now() - up;
  };
  const [live, quiet] = await Promise.all([took(tabs[0]), took(tabs[2]).catch(() => Infinity)]);
  t.diagnostic(`after the restart: live ${live} ms, quiet ${quiet} ms`);
  assert.ok(live <= 25_000 + SLACK, `live: ${live} ms`);
  assert.ok(quiet <= 25_000 + SLACK, `quiet: ${quiet} ms`);
  assert.deepEqual(await parts(tabs[0], ['state', 'acts', 'steps']), await parts(fresh, ['state', 'acts', 'steps']));
  // Without JavaScript the browser's own error page came between: the address is the same, and a reload is right.
  await tabs[1].page.reload();
  assert.match(await text(tabs[1], '#state'), /The app was restarted/);
  assert.ok(await tabs[0].page.$eval('#offline', (e) => e.hidden), 'the notice goes');
  await Promise.all([...tabs, fresh].map((tab) => tab.close()));
});

test('14.11 a card pulled while it is written is shouted; 6 the page says what to do', { timeout: 120_000 }, async () => {
  await replug('sda');
  const id = await begin(demo.url, 'sda');
  const tab = await open(browser, { watch: note });
  await tab.page.goto(`${demo.url}jobs/${id}`);
  await until('the card is being written', async () => (await demo.job(id)).steps.some((step) => step.id === 'write' && step.bytes_done > 0), { within: 60_000 });
  await demo.card('pull', 'sda');
  const job = await ended(demo, id, 30_000);
  assert.equal(job.state, 'failed');
  await until('the page shows it', async () => /The card was pulled out/.test(await text(tab, '#state')), { within: 5_000 });
  const shouts = (await noted(tab)).filter(({ part, text: words }) => part === 'shout' && words);
  assert.equal(shouts.length, 1, JSON.stringify(shouts));
  assert.match(shouts[0].text, /The card was pulled out/);
  assert.deepEqual(await axe(tab), []);
  await tab.close();
});
