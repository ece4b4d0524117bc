import { type Command, Option } from 'commander';
import type { ConvexReLUOptions, GateDrawing } from '../convex-relu';
import { imageSize, integer, number } from './options';
import { UsageError } from './usage-error';

/** Options of `train` that go to the solver; those without a default here have the solver's. */
export interface TrainingFlags {
  loss?: NonNullable<ConvexReLUOptions['loss']>;
  beta?: number;
  gates?: number;
  gatesFrom?: GateDrawing['from'];
  image?: [height: number, width: number];
  model?: NonNullable<ConvexReLUOptions['model']>;
  method?: NonNullable<ConvexReLUOptions['method']>;
  preprocess?: NonNullable<ConvexReLUOptions['preprocess']>;
  components?: number;
  tolerance: number;
  maxIterations?: number;
  checkEvery?: number;
  timeLimit?: number;
  seed: number;
  precision?: NonNullable<ConvexReLUOptions['precision']>;
  device?: string;
  globalBound?: When;
  refine?: When;
  maxGates?: number;
  adversarial?: number;
}

type When = 'auto' | 'always' | 'never';

/** Adds the options of {@link TrainingFlags}. */
export function addTrainingOptions(command: Command): Command {
  const choice = (flags: string, text: string, choices: string[]) =>
    new Option(flags, text).choices(choices);
  return command
    .addOption(
      choice('--loss <name>', 'loss (default: squared)', [
        'squared',
        'logistic',
        'hinge',
        'softmax',
      ]),
    )
    .option('--beta <number>', 'weight of the penalty (default: 1e-3)', number({ above: 0 }))
    .option('--gates <n>', 'gates to draw (default: 128)', integer({ min: 1 }))
    .addOption(
      choice('--gates-from <what>', 'how gates are drawn (default: by the model)', [
        'gaussian',
        'data',
        'patches',
      ]),
    )
    .option('--image <HxW>', 'samples are images of this size, as in 28x28', imageSize)
    .addOption(
      choice('--model <name>', 'default: relu for two classes and regression, gated for more', [
        'relu',
        'gated',
      ]),
    )
    .addOption(
      choice('--method <name>', 'scp: hidden vectors drawn, one for each gate (default: admm)', [
        'admm',
        'scp',
      ]),
    )
    .addOption(
      choice('--preprocess <how>', 'scaling of the inputs', [
        'standardize',
        'unit-columns',
        'none',
      ]),
    )
    .addOption(
      choice('--refine <when>', 'search for better gates (default: auto, where it takes seconds)', [
        'auto',
        'always',
        'never',
      ]),
    )
    .option('--max-gates <n>', 'most gates and neurons after refinement', integer({ min: 1 }))
    .option(
      '--adversarial <epsilon>',
      'train for the worst inputs within this distance, after scaling (one output)',
      number({ above: 0 }),
    )
    .option('--components <n>', 'project on this many principal components', integer({ min: 1 }))
    .option(
      '--tolerance <number>',
      'relative gap and infeasibility to reach',
      number({ above: 0, below: 1 }),
      1e-3,
    )
    .option('--max-iterations <n>', 'default: 10000', integer({ min: 1 }))
    .option(
      '--check-every <n>',
      'iterations between certificates (default: 10; gated: 4)',
      integer({ min: 1 }),
    )
    .option('--time-limit <seconds>', 'stop with the best so far', number({ min: 0 }))
    .option('--seed <n>', 'seed of gates and of the split', integer({ min: 0 }), 0)
    .addOption(choice('--precision <type>', 'default: float32', ['float32', 'float64']))
    .addOption(
      choice('--global-bound <when>', 'bound over all ReLU networks (default: auto)', [
        'auto',
        'always',
        'never',
      ]),
    )
    .option(
      '--device <name>',
      'auto, cpu, cuda or cuda:N, or several: cuda:0,cuda:1 (default: auto)',
    );
}

/** The solver's options. */
export function toModelOptions(
  flags: TrainingFlags,
  image: [height: number, width: number] | undefined,
): ConvexReLUOptions {
  const { loss, beta, model, preprocess, components, tolerance, maxIterations, checkEvery, seed } =
    flags;
  const given = { loss, beta, model, preprocess, components, maxIterations, checkEvery };
  return {
    ...withoutUndefined(given),
    ...withoutUndefined({ method: flags.method, precision: flags.precision }),
    ...(flags.device !== undefined && { device: toDevice(flags.device) }),
    ...toGates(flags, image),
    ...toRefinement(flags),
    ...(flags.adversarial !== undefined && { adversarial: { epsilon: flags.adversarial } }),
    ...toGlobalBound(flags),
    tolerance,
    seed,
  };
}

function toGlobalBound({ globalBound }: TrainingFlags): Pick<ConvexReLUOptions, 'globalBound'> {
  if (globalBound === undefined || globalBound === 'auto') return {};
  return { globalBound: globalBound === 'always' };
}

function toRefinement({ refine, maxGates }: TrainingFlags): Pick<ConvexReLUOptions, 'refine'> {
  if (refine === 'never') {
    if (maxGates !== undefined) throw new UsageError('--max-gates is for refinement');
    return { refine: false };
  }
  if (maxGates !== undefined) return { refine: { maxGates } };
  return refine === 'always' ? { refine: {} } : {};
}

function toGates(
  { gates, gatesFrom }: TrainingFlags,
  image: [height: number, width: number] | undefined,
): Pick<ConvexReLUOptions, 'gates'> {
  if (gatesFrom === undefined) return gates === undefined ? {} : { gates };
  if (gatesFrom === 'patches' && !image) {
    throw new UsageError('--gates-from patches needs --image HxW for samples that are not images');
  }
  return {
    gates: {
      from: gatesFrom,
      ...(gates !== undefined && { count: gates }),
      ...(gatesFrom === 'patches' && image && { image }),
    },
  };
}

function toDevice(names: string): NonNullable<ConvexReLUOptions['device']> {
  if (names === 'auto' || names === 'cpu' || names === 'cuda') return names;
  return names.split(',').map((name) => {
    const number = /^cuda:(\d+)$/.exec(name)?.[1];
    if (number !== undefined) return `cuda:${Number(number)}` as const;
    throw new UsageError(`--device ${names} is not auto, cpu, cuda, cuda:N or cuda:N,cuda:M`);
  });
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the entries that are undefined. */
function withoutUndefined<T extends object>(entries: T): Defined<T> {
  const given = Object.entries(entries).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Defined<T>;
}
