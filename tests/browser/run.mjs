// Runs the files named, or every *.test.mjs beside this one, and ends with a plain count. NAMES: only tests whose names
// fit this pattern. Several files run at once; limits of seconds are measured all the same. A file that did not keep them
// beside others is run once more, alone, and that is what counts.
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const named = process.argv.slice(2).map((name) => resolve(name));
const all = named.length ? named : readdirSync(here).filter((name) => name.endsWith('.test.mjs')).map((name) => join(here, name));
const begun = Date.now();

/** Runs files; gives what passed and failed in each: file → { passed, left, failures } */
function results(files, concurrency) {
  const found = new Map(files.map((file) => [file, { passed: 0, left: 0, failures: [] }]));
  const fileOf = ({ file, name }) => files.find((known) => known === file || known === name || known.endsWith(`/${name}`));
  const isFile = ({ name }) => files.some((file) => name === file || file.endsWith(`/${name}`));
  const stream = run({ files, concurrency, timeout: 1_800_000, testNamePatterns: process.env.NAMES });
  stream.on('test:pass', (test) => {
    if (isFile(test) || /does not match pattern/.test(test.skip)) return;
    const of = found.get(fileOf(test));
    if (test.skip === undefined) of.passed += 1;
    else of.left += 1;
    console.log(`ok      ${test.name}${test.skip ? ` (left out: ${test.skip})` : ''}  ${(test.details.duration_ms / 1000).toFixed(1)} s`);
  });
  stream.on('test:fail', (test) => {
    const cause = test.details.error?.cause ?? test.details.error;
    const why = cause?.message ?? String(cause);
    if (isFile(test) && /subtests? failed/.test(why)) return;
    found.get(fileOf(test) ?? files[0]).failures.push(`\nFAILED  ${test.name}\n${why}\n${test.file ?? ''}`);
    console.log(`FAILED  ${test.name}\n        ${why.split('\n')[0].slice(0, 300)}`);
  });
  stream.on('test:diagnostic', ({ message }) => {
    if (!/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(message)) console.log(`        ${message}`);
  });
  stream.resume();
  return new Promise((done) => stream.on('end', () => done(found)));
}

// Most of the time is spent waiting for what the pages do, so more than one file a core.
const found = await results(all, Number(process.env.FILES ?? 3));
const again = [...found].filter(([, { failures }]) => failures.length).map(([file]) => file);
if (again.length && all.length > 1) {
  console.log(`\nOnce more, alone: ${again.map((file) => file.slice(here.length + 1)).join(', ')}`);
  for (const [file, result] of await results(again, 1)) found.set(file, result);
}
const sum = (of) => [...found.values()].reduce((n, result) => n + of(result), 0);
const [passed, failed, left] = [sum((r) => r.passed), sum((r) => r.failures.length), sum((r) => r.left)];
console.log([...found.values()].flatMap(({ failures }) => failures).join('\n'));
const aside = left ? `, ${left} left out` : '';
console.log(`\nBrowser tests: ${passed + failed} run, ${passed} passed, ${failed} failed${aside}, in ${Math.round((Date.now() - begun) / 1000)} s`);
process.exit(failed || !passed ? 1 : 0);
