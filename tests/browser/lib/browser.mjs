// One Chromium, and tabs in it that write down everything that went wrong on them.
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

export const WIDTHS = [320, 768, 1280];
export const THEMES = ['light', 'dark'];

const PROGRAM = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** `more`: further switches of Chromium. */
export function launch(more = []) {
  if (!PROGRAM) throw new Error('Chromium is missing: apt-get install chromium, or name it in CHROMIUM');
  // Its own sandbox needs rights that containers and CI machines do not give; it sees nothing but our pages.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-extensions', '--hide-scrollbars', ...more];
  return puppeteer.launch({ executablePath: PROGRAM, args, protocolTimeout: 60_000 });
}

/**
 * A window of its own, with its own cookies and connections, as another person's browser is one.
 * Options: js, width, theme, language, blocked (patterns of URLs that do not load), fresh (false: in `context`).
 */
export async function open(browser, { js = true, width = 1280, theme, language, blocked, context, watch } = {}) {
  const own = context ?? (await browser.createBrowserContext());
  const page = await own.newPage();
  const cdp = await page.createCDPSession();
  const tab = { page, cdp, context: own, wrong: [], requests: [], loads: 0 };
  page.setDefaultTimeout(15_000);
  listen(tab);
  await page.setViewport({ width, height: 900 });
  if (theme) await tabTheme(tab, theme);
  if (language) await page.setExtraHTTPHeaders({ 'Accept-Language': language });
  if (blocked) {
    await cdp.send('Network.enable');
    await cdp.send('Network.setBlockedURLs', { urls: blocked });
  }
  if (!js) await page.setJavaScriptEnabled(false);
  await page.evaluateOnNewDocument(reportViolations);
  if (watch) await page.evaluateOnNewDocument(watch);
  tab.close = async () => {
    if (!context) await own.close();
    else await page.close();
  };
  return tab;
}

function reportViolations() {
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`policy: ${event.violatedDirective} of ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
  });
}

function listen(tab) {
  const { page } = tab;
  // htmx tells of every stream that breaks off, as one does behind a proxy; the page asks again by itself, which is judged
  // by what it shows.
  const brokenStream = (message) => message.text() === '[object Event]' && /\/htmx\./.test(message.location().url ?? '');
  page.on('console', (message) => {
    if (brokenStream(message)) return;
    if (message.type() === 'error' || message.type() === 'warn') tab.wrong.push(`on ${page.url()}: ${message.text()} ${message.location().url ?? ''}`);
  });
  page.on('pageerror', (error) => tab.wrong.push(`on ${page.url()}: script: ${error.message}`));
  page.on('request', (request) => tab.requests.push(request.url()));
  page.on('load', () => (tab.loads += 1));
}

export async function tabTheme({ cdp }, theme, more = {}) {
  const features = Object.entries({ 'prefers-color-scheme': theme, ...more });
  await cdp.send('Emulation.setEmulatedMedia', { features: features.map(([name, value]) => ({ name, value })) });
}

export const text = (tab, selector = 'body') => tab.page.$eval(selector, (e) => e.innerText);
export const exists = async (tab, selector) => (await tab.page.$(selector)) !== null;

/** Follows a link or sends a form, by a click, and waits for the page that it leads to. */
export async function follow(tab, selector) {
  const [answer] = await Promise.all([tab.page.waitForNavigation({ waitUntil: 'load' }), tab.page.click(selector)]);
  return answer;
}

/** The parts of a page that change, as a person reads them. */
export const parts = (tab, names) =>
  tab.page.evaluate((ids) => Object.fromEntries(ids.map((id) => [id, document.getElementById(id)?.innerText.trim()])), names);
