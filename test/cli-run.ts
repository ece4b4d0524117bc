/** Runs the command line as its users do, in a process of its own, on small data made here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const requireHere = createRequire(__filename);
const manifestPath = requireHere.resolve('secondorder/package.json');
export const manifest = requireHere(manifestPath) as {
  version: string;
  bin: { secondorder: string };
};
export const program = join(dirname(manifestPath), manifest.bin.secondorder);
// biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for is a control character
export const ansi = /\u001b/;

export interface Outcome {
  code: number | null;
  out: string;
  err: string;
  /** The lines of `out`, parsed. */
  lines: Record<string, unknown>[];
}

interface RunOptions {
  env?: Record<string, string>;
  /** Told of the process at its first output. */
  onOutput?: (child: ChildProcess) => void;
  command?: string[];
}

export function secondorder(args: string[], options: RunOptions = {}): Promise<Outcome> {
  const [file = '', ...rest] = options.command ?? [process.execPath, program, ...args];
  return new Promise((resolve, reject) => {
    const { NO_COLOR: _, ...inherited } = process.env;
    const child = spawn(file, rest, { env: { ...inherited, ...options.env } });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      if (out === '') options.onOutput?.(child);
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const json = args.includes('--json') ? out.split('\n').filter(Boolean) : [];
      resolve({ code, out, err, lines: json.map((line) => JSON.parse(line)) });
    });
  });
}

/** Numbers from 0 to 1, the same on every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Points inside and outside of a ring. */
export function ring(rows: number): { x: number[]; inside: boolean }[] {
  const next = numbers(7);
  return Array.from({ length: rows }, () => {
    const x = [4 * next() - 2, 4 * next() - 2];
    return { x, inside: Math.hypot(...x) < 1.2 };
  });
}

export function ringCsv(rows: number): string {
  const lines = ring(rows).map(({ x, inside }) => `${x.join(',')},${inside ? 'in' : 'out'}`);
  return `a,b,place\n${lines.join('\n')}\n`;
}

/** Images of 6 x 6 with a bright column, whose place is the class, as idx files. */
export function imageFiles(folder: string, count: number): { images: string; labels: string } {
  const next = numbers(3);
  const header = (...sizes: number[]) => {
    const bytes = Buffer.alloc(4 + 4 * sizes.length);
    bytes.set([0, 0, 8, sizes.length]);
    for (const [i, size] of sizes.entries()) bytes.writeUInt32BE(size, 4 + 4 * i);
    return bytes;
  };
  const classes = Array.from({ length: count }, (_, i) => i % 3);
  const pixels = classes.flatMap((label) =>
    Array.from({ length: 36 }, (_, k) => Math.floor(next() * 120) + (k % 6 === 2 * label ? 90 : 0)),
  );
  const images = join(folder, 'images');
  const labels = join(folder, 'labels');
  writeFileSync(images, Buffer.concat([header(count, 6, 6), Buffer.from(pixels)]));
  writeFileSync(labels, Buffer.concat([header(count), Buffer.from(classes)]));
  return { images, labels };
}

export const result = ({ lines }: Outcome) => lines.find(({ type }) => type === 'result') ?? {};
