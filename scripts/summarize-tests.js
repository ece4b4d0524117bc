// @ts-check
// Prints what failed and the closing line of a test run: the cases of ctest's JUnit files and of tap's
// output, summed. Usage: summarize-tests.js results.xml… results.tap
const fs = require('node:fs');
const { Parser } = require('tap-parser');

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {ReturnType<typeof Parser.parse>} Events */

/**
 * The totals that ctest writes on the root element of its file.
 * @param {string} xml
 * @returns {Counts}
 */
function countCtest(xml) {
  const root = /<testsuite\b[^>]*>/.exec(xml)?.[0] ?? '';
  /** @param {string} name */
  const total = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  const [failed, skipped] = [total('failures'), total('skipped') + total('disabled')];
  return { passed: total('tests') - failed - skipped, failed, skipped };
}

/**
 * Counts the tests of each file: what stands one level below the file. A file that fails as a whole
 * (it did not start, or ran out of time) counts as one failure.
 * @param {string} tap
 * @returns {Counts}
 */
function countTap(tap) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let failedBefore = 0;
  for (const [event, content] of Parser.parse(tap)) {
    if (event === 'child') {
      for (const [inner, test] of content) {
        if (inner !== 'assert') continue;
        if (test.skip || test.todo) counts.skipped++;
        else if (test.ok) counts.passed++;
        else counts.failed++;
      }
      printFailures(content);
    } else if (event === 'assert') {
      if (!content.ok && counts.failed === failedBefore) {
        counts.failed++;
        console.log(`failed: ${content.name}`);
      }
      failedBefore = counts.failed;
    }
  }
  return counts;
}

/**
 * Prints each failed assertion, at whatever depth, and a failed test without one.
 * @param {Events} events
 * @returns {number} how many it printed
 */
function printFailures(events) {
  let printed = 0;
  let printedBelow = 0;
  for (const [event, content] of events) {
    if (event === 'child') printedBelow = printFailures(content);
    if (event !== 'assert') continue;
    const explained = printedBelow > 0;
    printed += printedBelow;
    printedBelow = 0;
    if (content.ok || content.todo || content.skip || explained) continue;
    const { diff, stack, at } = content.diag ?? {};
    console.log(`failed: ${content.fullname}`);
    console.log(diff ?? '', stack ?? (at ? `${at.fileName}:${at.lineNumber}` : ''));
    printed++;
  }
  return printed;
}

/** @param {string} file */
function read(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
}

const parts = process.argv
  .slice(2)
  .map((file) => (file.endsWith('.tap') ? countTap(read(file)) : countCtest(read(file))));
/** @param {keyof Counts} key */
const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
