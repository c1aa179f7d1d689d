// The swap page on paper (face §9, §14.22). What it does after the swap is tested where that is built.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { PNG } from 'pngjs';
import { launch, open, tabTheme, THEMES } from './lib/browser.mjs';
import { startLook } from './lib/servers.mjs';

const jsQR = createRequire(import.meta.url)('jsqr');
let browser;
let look;

before(async () => {
  [look, browser] = await Promise.all([startLook(), launch()]);
  await look.set('done');
}, { timeout: 600_000 });

after(async () => {
  await browser?.close();
  await look?.end();
});

async function swapPage(theme, width = 1280) {
  const tab = await open(browser, { theme, width });
  const answer = await tab.page.goto(`${look.url}jobs/7/swap`);
  assert.equal(answer.status(), 200, 'a finished job has a swap page');
  return tab;
}

for (const theme of THEMES) {
  test(`14.22 printed swap page, ${theme}: one A4 sheet, no buttons, black on white`, async () => {
    const tab = await swapPage(theme);
    const pdf = Buffer.from(await tab.page.pdf({ format: 'A4', preferCSSPageSize: true })).toString('latin1');
    assert.equal(pdf.match(/\/Type\s*\/Page\b(?!s)/g)?.length, 1, 'sheets');
    const [, wide, high] = /\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)/.exec(pdf).map(Number);
    assert.ok(Math.abs(wide - 595) < 2 && Math.abs(high - 842) < 2, `A4, but ${wide} × ${high} points`);
    await tab.page.emulateMediaType('print');
    const seen = await tab.page.evaluate(() => ({
      buttons: [...document.querySelectorAll('button, .button, input[type=submit]')].filter((e) => e.getClientRects().length).map((e) => e.outerHTML.slice(0, 80)),
      ground: getComputedStyle(document.body).backgroundColor,
      ink: getComputedStyle(document.querySelector('main ol li, main li, main p')).color,
      steps: document.querySelectorAll('main ol > li').length,
      words: document.querySelector('main').innerText,
    }));
    assert.deepEqual(seen.buttons, []);
    assert.match(seen.ground, /^rgba?\((255, 255, 255(, 1)?|0, 0, 0, 0)\)$/);
    const [, ink] = /^rgb\((\d+)/.exec(seen.ink);
    assert.ok(Number(ink) < 64, `ink is ${seen.ink}`);
    assert.ok(seen.steps >= 5, `${seen.steps} steps`);
    for (const part of [/http:\/\/192\.168\.1\.42/, /http:\/\/homeassistant\.local/, /20\d\d/]) assert.match(seen.words, part);
    await tab.close();
  });

  test(`14.22 the QR code decodes to the address shown, ${theme}, on screen and on paper`, async () => {
    const tab = await swapPage(theme);
    for (const media of ['screen', 'print']) {
      await tab.page.emulateMediaType(media);
      await tabTheme(tab, theme);
      await tab.page.setViewport({ width: 1280, height: 900, deviceScaleFactor: 2 });
      const { data, width, height } = PNG.sync.read(Buffer.from(await tab.page.screenshot({ fullPage: true })));
      const code = jsQR(new Uint8ClampedArray(data), width, height);
      assert.ok(code, `${media}: no code is found`);
      assert.match(code.data, /^https?:\/\//);
      const words = await tab.page.$eval('main', (e) => e.innerText);
      assert.ok(words.replace(/\s+/g, '').includes(code.data), `${media}: ${code.data} is not on the page as text`);
    }
    await tab.close();
  });
}

test('11 the QR code is hidden under 480 px', async () => {
  const wide = await swapPage('light', 1280);
  const squares = (tab) => tab.page.$$eval('main svg:not(.icon), main img', (all) => all.filter((e) => e.getClientRects().length && e.getBoundingClientRect().width >= 80).length);
  assert.equal(await squares(wide), 1);
  await wide.page.setViewport({ width: 479, height: 900 });
  assert.equal(await squares(wide), 0);
  await wide.close();
});
