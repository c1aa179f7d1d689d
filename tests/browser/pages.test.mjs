// Every page in every state, light and dark, at three widths (face §14.1, 2, 6, 7).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, tabTheme, THEMES, WIDTHS } from './lib/browser.mjs';
import { absoluteLinks, axe, forbidden, openDetails, sideways, smallControls, steady, textSize } from './lib/checks.mjs';
import { ask, startLook } from './lib/servers.mjs';

let browser;
let look;
/** Every distinct page: { state, path, language, found: { axe, sideways, small, inline, links, console } } */
const looked = [];

before(async () => {
  [look, browser] = await Promise.all([startLook(), launch()]);
  const [first, ...others] = look.list.languages;
  for (const language of [first, ...others]) {
    // Another language is other words in the same places: what they can break is the narrow page.
    await (language === first ? everyPage(language, WIDTHS, THEMES) : everyPage(language, [320], ['light']));
  }
}, { timeout: 1_500_000 });

after(async () => {
  await browser?.close();
  await look?.end();
});

async function everyPage(language, widths, themes) {
  const known = new Set();
  const context = await browser.createBrowserContext();
  for (const state of look.list.states) {
    await look.set(state);
    for (const path of look.list.pages.filter((page) => look.list.only[page]?.includes(state) ?? true)) {
      const answer = await ask(look.url + path, { headers: { 'accept-language': language } });
      const missing = answer.status === 404 && path !== 'no-such-page';
      const same = steady(answer.text);
      // A state that a page says nothing about is the page that was looked at before.
      if (answer.status >= 300 && answer.status < 400) continue;
      if (missing || known.has(same)) continue;
      known.add(same);
      const tab = await open(browser, { language, context });
      looked.push({ state, path, language, answer, found: await lookAt(tab, path, widths, themes, answer) });
      await tab.close();
    }
  }
  await context.close();
}

async function lookAt(tab, path, widths, themes, answer) {
  await tab.page.goto(look.url + path, { waitUntil: 'load' });
  const found = { axe: [], sideways: [], small: [], forbidden: forbidden(answer.text), links: absoluteLinks(answer.text, path) };
  const note = async (kind, where, lines) => (await lines).forEach((line) => found[kind].push(`${where}: ${line}`));
  await openDetails(tab);
  for (const width of widths) {
    await tab.page.setViewport({ width, height: 900 });
    await note('sideways', `${width} px`, sideways(tab));
    await note('small', `${width} px`, smallControls(tab));
    for (const theme of themes) {
      // Colours that fade from one theme to the other are neither.
      await tabTheme(tab, theme, { 'prefers-reduced-motion': 'reduce' });
      await note('axe', `${width} px ${theme}`, axe(tab));
    }
  }
  for (const width of widths.filter((width) => width !== 768)) {
    await tab.page.setViewport({ width, height: 900 });
    await textSize(tab, 200);
    await note('sideways', `${width} px with text of 200 %`, sideways(tab));
  }
  found.language = await tab.page.evaluate(() => document.documentElement.lang);
  // The browser says so of every page that is not there, or not now; that is no error of the page.
  found.console = tab.wrong.filter((line) => !(answer.status >= 400 && line.includes(`a status of ${answer.status} (`)));
  return found;
}

/** Every place where something was found; nothing is the only right answer. */
function none(kind) {
  assert.ok(looked.length > look.list.states.length, `only ${looked.length} pages were looked at`);
  // The same thing in forty states is one thing to mend.
  const places = new Map();
  for (const { state, path, language, found } of looked) {
    for (const line of found[kind]) {
      const [, where, what] = /^(\d+ px[^:]*: )?([\s\S]*)$/.exec(line);
      places.set(what, [...(places.get(what) ?? []), `${state} /${path} [${language}] ${where ?? ''}`]);
    }
  }
  const lines = [...places].map(([what, at]) => `${what}\n    in ${at[0]}${at.length > 1 ? ` and ${at.length - 1} more, last ${at.at(-1)}` : ''}`);
  assert.ok(lines.length === 0, lines.join('\n'));
}

test('14.1 axe-core, WCAG 2.0–2.2 A and AA and best practice: nothing on any page in any state', (t) => {
  t.diagnostic(`${looked.length} pages × light and dark × ${WIDTHS.join(', ')} px`);
  none('axe');
});

test('14.2 at 320 px and with text of 200 % nothing scrolls sideways and nothing is cut', () => none('sideways'));

test('14.2 controls are at least 44 × 44, links in text excepted', () => none('small'));

test('14.6 no CSP report and no console error', () => none('console'));

test('14.6 no style=, on…=, inline script', () => none('forbidden'));

test('14.7 no link begins with / or a scheme', () => none('links'));

test('14.6 every page carries the strict policy, and is not kept by the browser', () => {
  for (const { path, answer } of looked) {
    const policy = answer.headers['content-security-policy'] ?? '';
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'self'"]) {
      assert.ok(policy.includes(part), `/${path}: ${part} is not in ${policy}`);
    }
    assert.ok(!/unsafe|\*|data:/.test(policy), policy);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', path);
    assert.equal(answer.headers['referrer-policy'], 'same-origin', path);
    assert.equal(answer.headers['cache-control'], 'no-store', path);
  }
});

test('14.18 no /dev/ outside technical details', () => {
  for (const { state, path, answer } of looked) {
    if (/log/.test(path)) continue;
    const told = answer.text.replace(/<details[\s\S]*?<\/details>/g, '');
    assert.ok(!told.includes('/dev/'), `${state} /${path}`);
  }
});

test('9 every page has one h1, a main, a skip link and the language that was asked for', () => {
  for (const { state, path, language, answer, found } of looked) {
    const where = `${state} /${path}`;
    assert.equal(answer.text.match(/<h1[\s>]/g)?.length, 1, where);
    assert.equal(answer.text.match(/<main[\s>]/g)?.length, 1, where);
    assert.ok(/class="skip"[^>]*href="#main"|href="#main"[^>]*class="skip"/.test(answer.text), where);
    assert.equal(found.language, language, where);
  }
});
