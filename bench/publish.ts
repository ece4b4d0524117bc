// Writes the tables and the figure of docs/benchmarks.md, and the table of docs/when-convex.md.
import fs from 'node:fs';
import path from 'node:path';
import { accuracyTable } from './accuracy-table';
import { drawScaling } from './figure';
import { isSkipped } from './measurement';
import type { BenchFile } from './measurements';
import { facts, tables } from './table';

const FIGURE = 'benchmarks-scaling.svg';
const BEGIN = '<!-- results: written by npm run bench -->';
const END = '<!-- end of results -->';

export async function publish(file: BenchFile, root: string): Promise<void> {
  const docs = path.join(root, 'docs');
  const { accuracy, ...others } = file.measurements;
  if (accuracy && !isSkipped(accuracy.result)) {
    const text = [accuracyTable(accuracy.result), facts(file)].join('\n\n');
    writeBetween(path.join(docs, 'when-convex.md'), text);
  }
  if (Object.keys(others).length === 0) return;
  const { scaling } = others;
  if (scaling) fs.writeFileSync(path.join(docs, FIGURE), await drawScaling(scaling.result));
  writeBetween(path.join(docs, 'benchmarks.md'), tables(file, FIGURE));
}

/** Puts results between the marks of a page. */
function writeBetween(page: string, results: string): void {
  const text = fs.readFileSync(page, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} has lost the marks of its results`);
  const written = [text.slice(0, begin + BEGIN.length), results, text.slice(end)];
  fs.writeFileSync(page, written.join('\n\n'));
}
