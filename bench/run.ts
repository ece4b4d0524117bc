// npm run bench: takes the measurements and writes them as JSON; a whole run also writes its tables
// and figure into docs/.
import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Command, InvalidArgumentError, Option } from 'commander';
import { loadNative } from '../dist/native.js';
import { runWithoutBlasSettings } from './environment';
import { load, machineFacts } from './machine';
import { type Context, isSkipped } from './measurement';
import {
  type BenchFile,
  MEASUREMENTS,
  type Measured,
  NAMES,
  type Name,
  type Results,
  USUAL,
} from './measurements';
import { publish } from './publish';

interface Flags {
  quick: boolean;
  only?: Name[];
  json?: string;
  data: string;
  threads?: number;
  publish: boolean;
  tables: boolean;
}

const ROOT = path.join(__dirname, '..');
const COMMITTED = path.join(__dirname, 'results', 'cpu.json');

async function main(): Promise<void> {
  const program = new Command('npm run bench --')
    .description('Measures the package on this machine.')
    .option('--quick', 'small problems, to see that everything works', false)
    .addOption(new Option('--only <names...>', 'take only these').choices(NAMES))
    .option('--json <file>', 'where to write the results')
    .option('--data <folder>', 'public data sets', path.join(ROOT, '..', 'shared', 'data'))
    .option('--threads <n>', 'threads; all that the process may use when left out', positive)
    .option('--publish', 'write the tables and the figure of docs/ from the results', false)
    .option('--tables', 'measure nothing: only do what --publish does', false)
    .action((flags: Flags) =>
      flags.tables ? publishFrom(flags.json ?? COMMITTED) : measure(flags),
    );
  await program.parseAsync();
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('not a count');
  return value;
}

async function measure(flags: Flags): Promise<void> {
  const context: Context = {
    quick: flags.quick,
    threads: flags.threads ?? loadNative().cpuInfo().threads,
    data: fs.existsSync(flags.data) ? flags.data : undefined,
    log: (line) => console.error(`  ${line}`),
  };
  const whole = !flags.quick && flags.only === undefined;
  const target = flags.json ?? (whole ? COMMITTED : undefined);
  const file = startFile(context, target);
  for (const name of flags.only ?? USUAL) {
    await take(name, context, file);
    if (target !== undefined) write(target, file);
  }
  if (target === undefined) console.log(JSON.stringify(file, undefined, 2));
  if (flags.publish || (whole && flags.json === undefined)) await publish(file, ROOT);
}

async function publishFrom(file: string): Promise<void> {
  await publish(JSON.parse(fs.readFileSync(file, 'utf8')) as BenchFile, ROOT);
}

/** What to add to: the earlier results of this machine where the file has such, else nothing. */
function startFile({ quick, threads }: Context, target: string | undefined): BenchFile {
  const command = ['npm run bench', ...(quick ? ['-- --quick'] : [])].join(' ');
  const date = new Date().toISOString().slice(0, 10);
  const fresh = { date, command, quick, threads, machine: machineFacts(), measurements: {} };
  if (target === undefined || !fs.existsSync(target)) return fresh;
  const { measurements, ...before } = JSON.parse(fs.readFileSync(target, 'utf8')) as BenchFile;
  const { measurements: _, ...now } = fresh;
  const same = isDeepStrictEqual({ ...before, date: '' }, { ...now, date: '' });
  return same ? { ...now, measurements } : fresh;
}

async function take<K extends Name>(name: K, context: Context, file: BenchFile): Promise<void> {
  console.error(name);
  const before = load();
  const start = performance.now();
  const result: Results[K] = await MEASUREMENTS[name](context);
  if (isSkipped(result)) context.log(`skipped: ${result.skipped}`);
  const seconds = Math.round(performance.now() - start) / 1e3;
  const measured: Measured<Results[K]> = { load: [before, load()], seconds, result };
  Object.assign(file.measurements, { [name]: measured });
}

function write(target: string, file: BenchFile): void {
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, `${JSON.stringify(file, undefined, 1)}\n`);
}

const code = runWithoutBlasSettings();
if (code === undefined) {
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
} else {
  process.exitCode = code;
}
