// Writes the tables and the figure of docs/benchmarks.md.
import fs from 'node:fs';
import path from 'node:path';
import { drawScaling } from './figure';
import type { BenchFile } from './measurements';
import { tables } from './table';

const FIGURE = 'benchmarks-scaling.svg';
const BEGIN = '<!-- results: written by npm run bench -->';
const END = '<!-- end of results -->';

export async function publish(file: BenchFile, root: string): Promise<void> {
  const docs = path.join(root, 'docs');
  const page = path.join(docs, 'benchmarks.md');
  const text = fs.readFileSync(page, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} has lost the marks of its results`);
  const { scaling } = file.measurements;
  if (scaling) fs.writeFileSync(path.join(docs, FIGURE), await drawScaling(scaling.result));
  const written = [text.slice(0, begin + BEGIN.length), tables(file, FIGURE), text.slice(end)];
  fs.writeFileSync(page, written.join('\n\n'));
}
