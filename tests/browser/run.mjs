// Runs the files named, or every *.test.mjs beside this one, and ends with a plain count. NAMES: only tests whose names
// fit this pattern.
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const named = process.argv.slice(2).map((name) => resolve(name));
const files = named.length ? named : readdirSync(here).filter((name) => name.endsWith('.test.mjs')).map((name) => join(here, name));

const begun = Date.now();
const count = { pass: 0, fail: 0, skip: 0 };
const failures = [];
// Most of the time is spent waiting for what the pages do, so more than one file a core.
const stream = run({ files, concurrency: Number(process.env.FILES ?? 3), timeout: 900_000, testNamePatterns: process.env.NAMES });
const isFile = ({ name }) => files.some((file) => name === file || file.endsWith(`/${name}`));

stream.on('test:pass', (test) => {
  if (isFile(test) || /does not match pattern/.test(test.skip)) return;
  count[test.skip === undefined ? 'pass' : 'skip'] += 1;
  console.log(`ok      ${test.name}${test.skip ? ` (left out: ${test.skip})` : ''}  ${(test.details.duration_ms / 1000).toFixed(1)} s`);
});
stream.on('test:fail', (test) => {
  const cause = test.details.error?.cause ?? test.details.error;
  const why = cause?.message ?? String(cause);
  if (isFile(test) && /subtests? failed/.test(why)) return;
  count.fail += 1;
  failures.push(`\nFAILED  ${test.name}\n${why}\n${test.file ?? ''}`);
  console.log(`FAILED  ${test.name}\n        ${why.split('\n')[0].slice(0, 300)}`);
});
stream.on('test:diagnostic', ({ message }) => {
  if (!/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(message)) console.log(`        ${message}`);
});
stream.on('end', () => {
  console.log(failures.join('\n'));
  const left = count.skip ? `, ${count.skip} left out` : '';
  console.log(`\nBrowser tests: ${count.pass + count.fail} run, ${count.pass} passed, ${count.fail} failed${left}, in ${Math.round((Date.now() - begun) / 1000)} s`);
  process.exitCode = count.fail || !count.pass ? 1 : 0;
});
stream.resume();
