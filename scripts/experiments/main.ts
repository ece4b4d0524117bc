/**
 * The experiments of Hong, Na, Mahoney and Kolar (arXiv 2305.18379), with this package's methods beside
 * theirs, and one on derivatives that are left out. Each prints a table, and writes its numbers as JSON
 * and its curves as SVG.
 *
 *     npm run experiments -- --help
 */
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { runDerivatives } from './derivatives';
import { runLogistic } from './logistic';
import { runPde } from './pde';
import { runTestProblems } from './test-problems';

const ROOT = join(__dirname, '..', '..');

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('not a number above 0');
  return value;
}

function counts(text: string): number[] {
  const values = text.split(',').map(Number);
  if (values.every((value) => Number.isInteger(value) && value > 0)) return values;
  throw new InvalidArgumentError('not counts with commas between them');
}

function experiment(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--out <folder>', 'where JSON and SVG go', 'experiments')
    .option('--time-limit <seconds>', 'of one run', positive, 60)
    .option('--seed <n>', 'of the sketches', Number, 0);
}

const program = new Command('npm run experiments --')
  .addCommand(
    experiment('cutest', 'the 47 test problems of the paper, by preset and linear solver')
      .option('--problem <name>', 'whose residuals are drawn', 'BT12')
      .option('--quick', 'five problems of two variables only', false)
      .action(runTestProblems),
  )
  .addCommand(
    experiment('logistic', 'logistic regression with A·w = b on the unit sphere')
      .argument('[files...]', 'data sets of two classes in LIBSVM format, gzip too')
      .option('--data <folder>', 'where a9a.gz and others are', join(ROOT, '../shared/data/libsvm'))
      .option('--constraints <m>', 'rows of A', positive, 10)
      .action(runLogistic),
  )
  .addCommand(
    experiment('pde', "control of Poisson's equation on an N × N grid")
      .option('--grids <N,...>', 'sizes', counts, [2, 4, 6, 8, 16, 32, 64, 128, 256])
      .action(runPde),
  )
  .addCommand(
    experiment('derivatives', 'all test problems with some derivatives left out')
      .option('--problem <name>', 'whose residuals are drawn', 'BT12')
      .option('--quick', 'five problems of each set only', false)
      .action(runDerivatives),
  );

program.parseAsync().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
