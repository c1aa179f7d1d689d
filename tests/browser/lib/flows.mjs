// A card from home to done: by clicks, by keys, or by plain requests.
import assert from 'node:assert/strict';
import { exists, follow } from './browser.mjs';
import { ask } from './servers.mjs';
import { until } from './wait.mjs';

/** What is printed on the demo's cards. */
export const PRINTED = '32';
/** A whole job of the demo, with a build that is not optimised, on a busy machine of two cores. */
export const WHOLE = 200_000;

/** The fields of the confirm form as it was served. */
export async function formFor(url, disk, headers = {}) {
  const { status, text } = await ask(`${url}card?disk=${disk}`, { headers });
  assert.equal(status, 200);
  const form = Object.fromEntries([...text.matchAll(/name="(disk|seen|plug|once|token)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return { form: { ...form, backup: 'new', version: 'running' }, asksSize: text.includes('name="size"'), text };
}

export const send = (url, form, headers = {}) => ask(`${url}card`, { method: 'POST', form, headers });

/** Begins a job without a browser; returns its number. */
export async function begin(url, disk, headers) {
  const { form } = await formFor(url, disk, headers);
  const answer = await send(url, { ...form, agree: 'yes', size: PRINTED }, headers);
  assert.equal(answer.status, 303, answer.text.slice(0, 2_000));
  return /jobs\/(\d+)/.exec(answer.headers.location)[1];
}

/** From home by clicks; `at` is the page or the frame of the app. Ends on the job's page. */
export async function chooseAndConfirm(at, disk, navigated) {
  await at.waitForSelector(`a[href*="card?disk=${disk}"]`);
  await navigated(() => at.click(`a[href*="card?disk=${disk}"]`), /card\?disk=/);
  await at.waitForSelector('#agree');
  await at.click('#agree');
  if (await at.$('#size')) await at.type('#size', PRINTED);
  await navigated(() => at.click('form button[type=submit]'), /jobs\/\d+$/);
  await at.waitForSelector('#state');
}

/** The same with nothing but the keyboard. */
export async function keysTo(tab, selector, most = 40) {
  for (let n = 0; n < most; n += 1) {
    await tab.page.keyboard.press('Tab');
    if (await tab.page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  throw new Error(`${selector} is not reached in ${most} steps of the Tab key`);
}

export async function keysThrough(tab, disk) {
  const enter = (key = 'Enter') => Promise.all([tab.page.waitForNavigation({ waitUntil: 'load' }), tab.page.keyboard.press(key)]);
  await tab.page.bringToFront();
  await keysTo(tab, `a[href*="card?disk=${disk}"]`);
  await enter();
  await keysTo(tab, '#agree');
  await tab.page.keyboard.press('Space');
  if (await exists(tab, '#size')) {
    await keysTo(tab, '#size');
    await tab.page.keyboard.type(PRINTED);
  }
  await keysTo(tab, 'form button[type=submit]');
  await enter();
}

/** Stops through the pages, from the job's page. */
export async function stopByClicks(tab) {
  await follow(tab, '#stop');
  await follow(tab, 'form button[type=submit]');
}

export const ended = (server, id, within = WHOLE) =>
  until(`job ${id} ends`, async () => {
    const job = await server.job(id);
    return !/^(running|stopping)$/i.test(job.state) && job;
  }, { within, every: 100 });
