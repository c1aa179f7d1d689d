// Pictures of every page in every state, in both themes, at 320 and 1280 px, into docs/screens/ (make screens).
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { launch, open, tabTheme, THEMES } from './lib/browser.mjs';
import { steady } from './lib/checks.mjs';
import { packed } from './lib/picture.mjs';
import { ask, ROOT, startLook } from './lib/servers.mjs';

const FOLDER = join(ROOT, 'docs/screens');
const language = process.env.SCREENS_LANGUAGE ?? 'en';

const [look, browser] = await Promise.all([startLook(), launch()]);
mkdirSync(FOLDER, { recursive: true });
for (const old of readdirSync(FOLDER)) if (old.endsWith('.png')) rmSync(join(FOLDER, old));

/** `jobs/7/stop` in state `running` → `jobs-stop.running` */
const named = (path, state) => `${path.split('?')[0].replace(/\/7(?=\/|$)/, '').replace(/[^a-z0-9]+/gi, '-') || 'home'}.${state}`;

/** The states of a page that are worth a picture; the tests look at all of them. */
const SHOWN = {
  '': 'usual unknown no-reader empty-reader many twins failed-list problems not-haos running interrupted done-and-out',
  'card?disk=sdb': 'usual full many wide warnings problems running twins',
  'jobs/7': 'running download silent commit stopping cancelled failed interrupted done',
  'jobs/7/stop': 'running download',
  'jobs/7/swap': 'done swap-warned',
  'jobs/7/log': 'history',
  'jobs/7/certificate': 'done history',
  history: 'usual history',
  cache: 'usual kept kept-running',
  about: 'usual',
  'no-such-page': 'usual',
};

const known = new Set();
let bytes = 0;
let pictures = 0;

async function take(state, path) {
  const tab = await open(browser, { language });
  await tab.page.goto(look.url + path, { waitUntil: 'load' });
  for (const theme of THEMES) {
    await tabTheme(tab, theme, { 'prefers-reduced-motion': 'reduce' });
    for (const width of [320, 1280]) {
      await tab.page.setViewport({ width, height: width === 320 ? 640 : 720 });
      const image = PNG.sync.read(Buffer.from(await tab.page.screenshot({ fullPage: true })));
      const small = packed(image);
      bytes += small.length;
      pictures += 1;
      writeFileSync(join(FOLDER, `${named(path, state)}.${width}.${theme}.png`), small);
    }
  }
  await tab.close();
}

for (const state of look.list.states) {
  await look.set(state);
  for (const path of look.list.pages.filter((page) => SHOWN[page]?.split(' ').includes(state))) {
    const answer = await ask(look.url + path, { headers: { 'accept-language': language } });
    const same = createHash('sha256').update(steady(answer.text)).digest('hex');
    const page = answer.status === 200 || path === 'no-such-page';
    if (!page || !/^text\/html/.test(answer.headers['content-type'] ?? '') || known.has(same)) continue;
    known.add(same);
    await take(state, path);
  }
}
await browser.close();
await look.end();
console.log(`${pictures} pictures of ${known.size} pages in docs/screens, ${(bytes / 1e6).toFixed(1)} MB`);
process.exit(0);
