// node pages.mjs OUT PAGE...: each page at three widths, light and dark, and printed; what axe finds in it, what is wider than the
// screen, and whether its figures can be taken away. PNG and PDF go to the folder OUT. Status 1 when there is anything to mend.
import fs from 'fs';
import path from 'path';
import { createRequire } from 'module';

const [out, ...pages] = process.argv.slice(2);
const require = createRequire(path.join(out, 'package.json'));
const puppeteer = require('puppeteer-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const browser = await puppeteer.launch({ executablePath: '/usr/bin/chromium', headless: true, args: ['--no-sandbox'] });
let bad = 0;
for (const page of pages) {
  const name = path.basename(path.dirname(page)) + '-' + path.basename(page, '.html');
  const tab = await browser.newPage();
  await tab.setBypassCSP(true); // for axe only: the page's own policy lets no script in
  const found = new Set(), scripts = [];
  tab.on('pageerror', (error) => scripts.push(String(error)));
  for (const scheme of ['light', 'dark'])
    for (const width of [1280, 768, 390]) {
      await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await tab.setViewport({ width, height: 900 });
      await tab.goto('file://' + path.resolve(page));
      const over = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) found.add(`${width}: ${over} px wider than the screen`);
      await tab.screenshot({ path: path.join(out, `${name}-${width}-${scheme}.png`), fullPage: true });
      await tab.evaluate(axe);
      const seen = await tab.evaluate(async () => await axe.run(document));
      for (const one of seen.violations) found.add(`${scheme} ${width} ${one.impact} ${one.id}: ${one.help} (${one.nodes[0].target})`);
    }
  // Each figure: as many files as it has buttons, and what is printed of it alone is one page.
  const figures = await tab.evaluate(() => [...document.querySelectorAll('figure.panel')].filter((f) => f.querySelector('.plot svg,[data-km] svg'))
    .map((f) => [f.querySelector('.number').textContent.trim(), [...f.querySelectorAll('.take button')].map((b) => b.textContent).join(' ')]));
  for (const [number, buttons] of figures) if (buttons !== 'SVG PNG PDF CSV R') found.add(`${number} can be taken as: ${buttons}`);
  if (figures.length) {
    await tab.evaluate(() => { window.print = () => {}; document.querySelector('.take button:nth-child(3)').click(); });
    await tab.pdf({ path: path.join(out, `${name}-first-figure.pdf`), preferCSSPageSize: true, printBackground: true });
    await tab.evaluate(() => window.dispatchEvent(new Event('afterprint')));
    if (await tab.evaluate(() => document.querySelector('.alone') !== null)) found.add('what was printed alone stays on the page');
  }
  await tab.emulateMediaFeatures([]);
  await tab.pdf({ path: path.join(out, `${name}.pdf`), format: 'A4', printBackground: true });
  for (const error of scripts) found.add('script: ' + error);
  console.log(`${name}: ${figures.length} figures, ${found.size ? found.size + ' to mend' : 'nothing to mend'}`);
  for (const one of found) console.log('  ' + one);
  bad += found.size;
  await tab.close();
}
await browser.close();
process.exit(bad ? 1 : 0);
