// What every page has to hold, looked at from inside the page.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe-core finds, one line for each place. Through the debugger, so that the page's policy stays as it is. */
export async function axe(tab) {
  const { page } = tab;
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => {
    const rules = { 'target-size': { enabled: true } };
    const result = await window.axe.run({ runOnly: { type: 'tag', values: tags }, rules, resultTypes: ['violations'] });
    return result.violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id} (${help}): ${node.target.join(' ')} ${node.html.slice(0, 90)}`));
  }, TAGS);
  return found;
}

export const openDetails = (tab) => tab.page.evaluate(() => document.querySelectorAll('details').forEach((e) => (e.open = true)));

/** Root text size in per cent, as a reader's settings make it. */
export const textSize = (tab, percent) =>
  tab.page.evaluate((size) => (document.documentElement.style.fontSize = size), percent === 100 ? '' : `${percent}%`);

/** Nothing is wider than the window, and nothing is cut off by its box. */
export const sideways = (tab) =>
  tab.page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    const found = [];
    if (document.documentElement.scrollWidth > room) found.push(`the page is ${document.documentElement.scrollWidth} px wide in ${room}`);
    const name = (e) => `${e.tagName.toLowerCase()}${e.id ? `#${e.id}` : ''}${e.className && e.className.baseVal === undefined ? `.${[...e.classList].join('.')}` : ''}`;
    for (const e of document.body.querySelectorAll('*')) {
      const style = getComputedStyle(e);
      if (e.closest('.away, .skip, svg, option') || style.display === 'none' || style.visibility === 'hidden') continue;
      const box = e.getBoundingClientRect();
      // What a scrolling box (the log) holds may be wider than the window: the box is not.
      let holder = e.parentElement;
      while (holder && !/auto|scroll/.test(getComputedStyle(holder).overflowX)) holder = holder.parentElement;
      if (!holder && box.width && (box.right > room + 1 || box.left < -1)) found.push(`${name(e)} reaches from ${Math.round(box.left)} to ${Math.round(box.right)} of ${room}`);
      const cuts = /hidden|clip/.test(style.overflowX + style.overflowY) && e.tagName !== 'PROGRESS';
      if (cuts && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)) found.push(`${name(e)} is cut`);
    }
    return found.slice(0, 5);
  });

/** Controls smaller than a finger. A link inside a sentence is excepted; one that stands alone is not. */
export const smallControls = (tab) =>
  tab.page.evaluate(() => {
    const found = [];
    for (const e of document.querySelectorAll('a[href], button, input, select, textarea, summary')) {
      if (e.type === 'hidden' || e.closest('.skip, [hidden]') || !e.getClientRects().length) continue;
      const near = e.closest('li, p, dd, td') ?? e.parentElement;
      const words = (x) => x.innerText.replace(/\s+/g, ' ').trim();
      if (e.tagName === 'A' && getComputedStyle(e).display === 'inline' && words(near).length > words(e).length + 3) continue;
      // A box or a dot is as large as the row that ticks it.
      const target = /checkbox|radio/.test(e.type) ? e.closest('label') ?? e : e;
      const { width, height } = target.getBoundingClientRect();
      if (width < 43.5 || height < 43.5) found.push(`${e.outerHTML.slice(0, 90)} is ${Math.round(width)} × ${Math.round(height)}`);
    }
    return found;
  });

/** What the policy forbids, in the source as it was sent. */
export function forbidden(html) {
  const found = [];
  for (const [tag] of html.matchAll(/<[a-z][^>]*>/gi)) {
    if (/\sstyle\s*=/i.test(tag)) found.push(`style= in ${tag.slice(0, 80)}`);
    if (/\son[a-z]+\s*=/i.test(tag)) found.push(`on…= in ${tag.slice(0, 80)}`);
    if (/^<style/i.test(tag)) found.push('<style>');
    if (/^<script(?![^>]*\ssrc=)/i.test(tag)) found.push('inline <script>');
    if (/javascript:/i.test(tag)) found.push(`javascript: in ${tag.slice(0, 80)}`);
  }
  return found;
}

const LINKS = /\s(href|action|formaction|src|srcset|poster|hx-[a-z-]+|sse-connect|ws-connect)="([^"]*)"/g;

/** Links that begin with `/` or a scheme. The swap page's ways into Home Assistant and the address to report to may. */
export function absoluteLinks(html, path) {
  const found = [];
  for (const [, name, raw] of html.matchAll(LINKS)) {
    const value = raw.replace(/&#x2F;|&#47;/gi, '/').replace(/&#58;|&#x3a;/gi, ':');
    if (!/^(\/|\\|[a-z][a-z0-9+.-]*:)/i.test(value)) continue;
    if (name === 'href' && /\/swap$/.test(path) && /^https?:\/\//.test(value)) continue;
    if (name === 'href' && /^https:\/\/github\.com\/[^/]+\/sd-swap/.test(value)) continue;
    found.push(`${name}="${value}"`);
  }
  return found;
}

/** The same page asked twice differs in these only. */
export const steady = (html) =>
  html
    .replace(/seen=[0-9a-f.]+/g, 'seen=')
    .replace(/name="(once|token)" value="[^"]*"/g, '')
    .replace(/\d\d:\d\d/g, 'time')
    .replace(/\d+ (seconds?|minutes?) ago/g, 'ago');
