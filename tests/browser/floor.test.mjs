// What old browsers need, what a first visit weighs, and the colours' contrast (face §2, §14.8, 9, 24). No browser here.
import { parse } from 'acorn';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, ROOT, startLook } from './lib/servers.mjs';

const STATIC = join(ROOT, 'static');
const files = readdirSync(STATIC);
const read = (name) => readFileSync(join(STATIC, name), 'utf8');
const vendored = [...read('VENDORED.md').matchAll(/^\| `([^`]+\.js)`/gm)].map(([, name]) => name);
const own = files.filter((name) => name.endsWith('.js') && !vendored.includes(name));
const styles = files.filter((name) => name.endsWith('.css'));

let look;
before(async () => {
  look = await startLook();
  await look.set('usual');
}, { timeout: 600_000 });
after(() => look?.end());

test('14.8 vendored scripts parse as ES2015', () => {
  assert.ok(vendored.length >= 2, `VENDORED.md names ${vendored}`);
  for (const name of vendored) assert.doesNotThrow(() => parse(read(name), { ecmaVersion: 2015, sourceType: 'script' }), name);
});

test('14.8 own scripts parse as ES5, and are as small as promised', () => {
  assert.ok(own.includes('face.js'));
  const most = { 'face.js': 3 * 1024, 'finish.js': 12 * 1024, 'swap.js': 7 * 1024 };
  for (const name of own) {
    assert.doesNotThrow(() => parse(read(name), { ecmaVersion: 5, sourceType: 'script' }), name);
    assert.ok(most[name], `${name} has no limit`);
    assert.ok(Buffer.byteLength(read(name)) <= most[name], `${name}: ${Buffer.byteLength(read(name))} bytes`);
  }
});

/** Functions of scripts that the oldest promised browsers lack: iOS 11.3, Chrome 61, Firefox 60. */
const NEWER_CALLS = /\.(flatMap|matchAll|replaceAll|at|replaceChildren|toggleAttribute|fromEntries|allSettled|finally)\(|structuredClone|globalThis|ResizeObserver|AbortController|IntersectionObserver|queueMicrotask/g;

test('14.8 own scripts call nothing that is newer than the floor', () => {
  for (const name of own) assert.deepEqual(read(name).match(NEWER_CALLS), null, name);
});

/** Styles of browsers above the floor. A declaration that is only a nicety there stands in NICETIES. */
const NEWER_STYLES = [
  [/:(has|is|where|not\([^)]*,|dir|focus-within\s*\{[^}]*\{)\(?/, 'selector :has, :is, :where, :dir'],
  [/@(container|layer|supports-condition|scope|property|starting-style|custom-media|nest)\b/, 'at-rule'],
  [/\b(clamp|min|max|round|color-mix|light-dark|oklch|oklab|lab|lch|hwb)\(/, 'function'],
  [/(^|[;{\s])inset(-[a-z-]+)?\s*:/, 'inset'],
  [/(^|[;{\s])(margin|padding|border)-(inline|block)(-[a-z-]+)?\s*:/, 'logical property'],
  [/(^|[;{\s])(inline|block|min-inline|max-inline|min-block|max-block)-size\s*:/, 'logical size'],
  [/(^|[;{\s])(aspect-ratio|content-visibility|container(-type|-name)?|translate|rotate|scale|place-items|place-content)\s*:/, 'property'],
  [/\d(d|s|l)v(h|w|min|max)\b/, 'viewport unit'],
  [/@media[^{]*[<>]=?/, 'range in @media'],
  [/rgba?\(\s*\d+\s+\d+|#[0-9a-f]{8}\b|#[0-9a-f]{4}\b/i, 'colour'],
  [/\bposition\s*:\s*sticky/, 'nothing is sticky here (face §1)'],
];

/** Rules with their selectors; comments and strings are out of the way. */
function rules(css) {
  const bare = css.replace(/\/\*[\s\S]*?\*\//g, '').replace(/"[^"]*"|'[^']*'/g, '""');
  const found = [];
  const open = [];
  let text = '';
  for (const letter of bare) {
    if (letter === '{') {
      open.push(text.trim());
      text = '';
    } else if (letter === '}') {
      const selector = open.pop();
      if (text.trim()) found.push({ selector, inside: [...open], body: text });
      text = '';
    } else text += letter;
  }
  assert.equal(open.length, 0, 'braces do not match');
  return found;
}

test('2 styles use nothing above the floor', () => {
  assert.ok(styles.length >= 1);
  for (const name of styles) {
    const css = read(name).replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [pattern, what] of NEWER_STYLES) assert.equal(pattern.exec(css)?.[0], undefined, `${name}: ${what}`);
    for (const { selector, inside, body } of rules(css)) {
      // A rule in a rule is nesting, unless the outer one is @media or @supports.
      for (const outer of inside) assert.match(outer, /^@(media|supports|font-face|page)/, `${name}: ${outer} { ${selector}`);
      // `gap` came to grid with its old name beside it, and to flex only later.
      const flex = /display\s*:\s*(inline-)?flex/.test(body);
      assert.ok(!(flex && /(^|[;{\s])(row-|column-)?gap\s*:/.test(body)), `${name}: gap with flex in ${selector}`);
      assert.ok(flex || !/(^|[;{\s])gap\s*:/.test(body) || /grid-gap\s*:/.test(body), `${name}: gap without grid-gap in ${selector}`);
    }
  }
});

test('2 the page and its buttons have a literal colour before the custom property', () => {
  const all = styles.flatMap((name) => rules(read(name)));
  const needs = (selector, property) => {
    const body = all.filter((rule) => rule.selector.split(/,\s*/).includes(selector)).map((rule) => rule.body).join(';');
    assert.match(body, new RegExp(`${property}\\s*:[^;]*#[0-9a-f]{3,6}[^;]*;[\\s\\S]*${property}\\s*:[^;]*var\\(`), `${selector} ${property}`);
  };
  for (const [selector, property] of [['body', 'background'], ['body', 'color'], ['.button', 'color']]) needs(selector, property);
});

test('2 templates hold no <dialog> and no popover', () => {
  const folder = join(ROOT, 'templates');
  for (const name of readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.html'))) {
    assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /<dialog|\spopover[\s=>]|\sloading=|<search\b/, name);
  }
});

test('14.9 first load: at most 40 KB compressed and 5 requests and the stream; second: at most 8 KB', async (t) => {
  for (const [state, path] of [['usual', ''], ['many', ''], ['running', 'jobs/7']]) {
    await look.set(state);
    const page = await fetched(path);
    const base = new URL(path, look.url);
    const needed = [...page.text.matchAll(/<(?:link[^>]*rel="stylesheet"[^>]*href|script[^>]*src)="([^"]+)"/g)].map(([, link]) => new URL(link, base));
    let bytes = page.packed;
    for (const url of needed) {
      const asset = await fetched(url.href.slice(look.url.length));
      assert.match(asset.headers['cache-control'] ?? '', /max-age=31536000.*immutable/, url.pathname);
      assert.match(url.pathname, /\.[0-9a-f]{8,}\./, 'the name tells the content');
      bytes += asset.packed;
    }
    t.diagnostic(`/${path} (${state}): first load ${(bytes / 1024).toFixed(1)} KB in ${needed.length + 1} requests, second ${(page.packed / 1024).toFixed(1)} KB`);
    assert.ok(bytes <= 40 * 1024, `${bytes} bytes`);
    assert.ok(needed.length + 1 <= 5, `${needed.length + 1} requests`);
    assert.ok(page.packed <= 8 * 1024, `${page.packed} bytes`);
  }
});

/** As a browser that understands gzip gets it. */
async function fetched(path) {
  const answer = await ask(look.url + path, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(answer.status, 200, path);
  assert.equal(answer.headers['content-encoding'], 'gzip', `/${path} comes compressed`);
  const { text } = await ask(look.url + path);
  return { packed: answer.bytes.length, text, headers: answer.headers };
}

/** Tokens of one theme, from the first rule that sets `--bg` to something of that kind. */
function tokens(theme) {
  const screen = ({ inside }) => !inside.some((outer) => /print/.test(outer));
  const all = rules(styles.map(read).join('\n')).filter((rule) => /--bg\s*:/.test(rule.body)).filter(screen);
  const dark = ({ selector, inside }) => /data-theme=["']?dark/.test(selector) || inside.some((outer) => /dark/.test(outer));
  const found = all.filter((rule) => dark(rule) === (theme === 'dark'));
  assert.ok(found.length > 0, `no ${theme} tokens`);
  const sets = found.map(({ body }) => Object.fromEntries([...body.matchAll(/--([a-z-]+)\s*:\s*(#[0-9a-f]{6})/gi)].map(([, name, colour]) => [name, colour])));
  for (const set of sets) assert.deepEqual(set, sets[0], `the ${theme} tokens differ from place to place`);
  return sets[0];
}

function contrast(one, other) {
  const light = (colour) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ['bg', 'card', 'accent-soft', 'danger-soft', 'warn-soft', 'ok-soft'];
/** What is written in which colour on which ground, and what it has to reach. */
const PAIRS = [
  ...GROUNDS.flatMap((ground) => [['ink', ground, 4.5], ['dim', ground, 4.5]]),
  ...['bg', 'card', 'accent-soft'].map((ground) => ['accent', ground, 4.5]),
  ['danger', 'bg', 4.5], ['danger', 'card', 4.5], ['danger', 'danger-soft', 4.5],
  ['warn', 'bg', 4.5], ['warn', 'card', 4.5], ['warn', 'warn-soft', 4.5],
  ['ok', 'bg', 4.5], ['ok', 'card', 4.5], ['ok', 'ok-soft', 4.5],
  ['on-accent', 'accent', 4.5], ['on-danger', 'danger', 4.5],
  ['edge', 'bg', 3], ['edge', 'card', 3], ['accent', 'track', 3], ['edge', 'track', 3],
];

for (const theme of ['light', 'dark']) {
  test(`14.24 contrast from the tokens, ${theme}: text ≥ 4.5, borders and bar ≥ 3`, (t) => {
    const colours = tokens(theme);
    const measured = PAIRS.map(([ink, ground, least]) => {
      assert.ok(colours[ink] && colours[ground], `--${ink} or --${ground} is missing`);
      return { pair: `${ink} on ${ground}`, least, is: contrast(colours[ink], colours[ground]) };
    });
    const low = measured.filter(({ least, is }) => is < least);
    const worst = measured.filter(({ least }) => least === 4.5).sort((a, b) => a.is - b.is)[0];
    t.diagnostic(`lowest text: ${worst.pair} ${worst.is.toFixed(1)}`);
    assert.deepEqual(low, []);
  });
}
