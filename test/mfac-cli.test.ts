import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FisherBlocks,
  prune,
  readNpySync,
  readSafetensorsSync,
  writeNpySync,
  writeSafetensorsSync,
} from 'secondorder';
import t from 'tap';
import { ansi, result, secondorder } from './cli-run';
import { randomRows, single, toMatrix } from './fixtures/dense';

const d = 24;
const m = 10;
const rows = randomRows(m, d, 1);
const weights = single(randomRows(1, d, 2)[0]!);

function npyFiles(folder: string): { w: string; g: string } {
  const [w, g] = [join(folder, 'w.npy'), join(folder, 'g.npy')];
  writeNpySync(w, { data: weights, shape: [4, 6] });
  writeNpySync(g, { data: single(rows.flat()), shape: [m, 4, 6] });
  return { w, g };
}

t.test('arrays of NumPy', async (t) => {
  const folder = t.testdir();
  const { w, g } = npyFiles(folder);
  const [out, mask] = [join(folder, 'out.npy'), join(folder, 'mask.npy')];
  const args = ['prune', w, g, '--sparsity', '0.5', '--damping', '1e-2'];
  const pruned = await secondorder([...args, '--out', out, '--mask', mask]);
  t.equal(pruned.code, 0, pruned.err);
  t.match(pruned.out, /^removed +12 \(50\.00 %\)$/m);
  t.match(pruned.out, /^gradients +10$/m);
  t.notMatch(pruned.out + pruned.err, ansi, 'no terminal, no escapes');
  const blocks = FisherBlocks.fromGradientsSync(toMatrix(rows), { damping: 1e-2 });
  const expected = await prune(weights, blocks, { sparsity: 0.5 });
  t.match(readNpySync(out), { data: expected.weights, shape: [4, 6], dtype: 'float32' });
  t.match(readNpySync(mask), { data: expected.mask, shape: [4, 6], dtype: 'uint8' });

  const json = await secondorder([...args, '--json', '--block-size', '6', '--no-joint']);
  t.equal(json.code, 0, json.err);
  t.match(json.lines[0], { type: 'progress', iteration: 1, sparsity: 0.5 });
  t.match(json.lines.at(-2), { type: 'progress', gradients: m });
  const block = FisherBlocks.fromGradientsSync(toMatrix(rows), { damping: 1e-2, blockSize: 6 });
  const alone = await prune(weights, block, { sparsity: 0.5, joint: false });
  t.match(result(json), { weights: d, removed: 12, sparsity: 0.5, gradients: m, seconds: Number });
  t.equal(result(json).lossIncrease, alone.lossIncrease);

  const paired = await secondorder(['prune', w, g, '--pattern', '2:4', '--mask', mask]);
  t.equal(paired.code, 0, paired.err);
  const kept = readNpySync(mask).data;
  for (let i = 0; i < d; i += 4) {
    t.equal(
      Array.from(kept.subarray(i, i + 4)).reduce((sum, k) => sum + k),
      2,
    );
  }
});

t.test('tensors of safetensors', async (t) => {
  const folder = t.testdir();
  const [w, g, out, mask] = ['w', 'g', 'out', 'mask'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  const first = weights.slice(0, 12);
  const bias = weights.slice(12, 16);
  const second = Float64Array.from(weights.slice(16));
  const names = Int32Array.of(1, 2);
  writeSafetensorsSync(
    w,
    {
      first: { data: first, shape: [3, 4] },
      bias: { data: bias, shape: [4] },
      second: { data: second, shape: [4, 2] },
      names: { data: names, shape: [2] },
    },
    { made: 'here' },
  );
  const part = (from: number, to: number) => single(rows.flatMap((row) => row.slice(from, to)));
  writeSafetensorsSync(g, {
    first: { data: part(0, 12), shape: [m, 3, 4] },
    bias: { data: part(12, 16), shape: [m, 4] },
    second: { data: part(16, 24), shape: [m, 8] },
  });
  const args = ['prune', w, g, '--sparsity', '0.5', '--per-layer', '--json'];
  const pruned = await secondorder([...args, '--out', out, '--mask', mask]);
  t.equal(pruned.code, 0, pruned.err);
  t.match(result(pruned), { weights: d, removed: 10 });
  const counts = (result(pruned).tensors as { name: string; removed: number }[]).map(
    ({ name, removed }) => [name, removed],
  );
  t.same(
    new Map(counts as [string, number][]),
    new Map([
      ['first', 6],
      ['second', 4],
      ['bias', 0],
    ]),
  );
  const { tensors, metadata } = readSafetensorsSync(out);
  t.same(metadata, { made: 'here' });
  t.match(tensors.names, { data: names });
  t.match(tensors.second, { dtype: 'F64', shape: [4, 2] });
  t.notSame(tensors.bias?.data, bias, 'biases stay, and are adjusted');
  const masks = readSafetensorsSync(mask).tensors;
  t.same(Object.keys(masks).sort(), ['bias', 'first', 'second']);
  for (const name of ['first', 'second']) {
    const kept = masks[name]!;
    t.equal(kept.dtype, 'BOOL');
    const values = Array.from(tensors[name]!.data, Number);
    t.ok(values.every((value, i) => (value === 0) === (kept.data[i] === 0)));
  }
  const all = await secondorder([...args, '--biases']);
  t.equal(result(all).removed, 12);
});

t.test('what is not right', async (t) => {
  const folder = t.testdir();
  const { w, g } = npyFiles(folder);
  const short = join(folder, 'short.npy');
  writeNpySync(short, { data: new Float32Array(20), shape: [2, 10] });
  const other = join(folder, 'other');
  writeSafetensorsSync(other, { a: { data: new Float32Array(2), shape: [2] } });
  const damaged = join(folder, 'damaged.npy');
  writeFileSync(damaged, readFileSync(g).subarray(0, 200));
  const cases: [string[], number, RegExp][] = [
    [[w, g], 2, /either --sparsity or --pattern/],
    [[w], 2, /missing required argument 'gradients'/],
    [[w, g, '--sparsity', '1'], 2, /--sparsity.*below 1/],
    [[w, g, '--pattern', '4:2'], 2, /n below m/],
    [[w, g, '--sparsity', '0.5', '--damping', '0'], 2, /--damping.*above 0/],
    [
      [w, short, '--sparsity', '0.5'],
      1,
      /ERR_DIMENSION_MISMATCH: .*short\.npy.* m x 4 x 6, not 2 x 10/,
    ],
    [[w, other, '--sparsity', '0.5'], 1, /both have to be npy or safetensors/],
    [[w, damaged, '--sparsity', '0.5'], 1, /ERR_FORMAT: .*damaged\.npy/],
    [[w, join(folder, 'none'), '--sparsity', '0.5'], 1, /ERR_INVALID_ARGUMENT: cannot read .*none/],
    [[w, g, '--sparsity', '0.5', '--out', join(folder, 'no', 'where')], 1, /cannot write/],
    [[w, g, '--sparsity', '0.5', '--out', folder], 1, /it is a folder/],
  ];
  for (const [args, code, message] of cases) {
    const refused = await secondorder(['prune', ...args]);
    t.equal(refused.code, code, args.join(' '));
    t.match(refused.err, message);
    t.match(refused.err, /^secondorder: ERR_[A-Z_]+: [^\n]*\n$/);
  }
  const help = await secondorder(['prune', '--help']);
  t.match(help.out, /Usage: secondorder prune.*Example:\n {2}secondorder prune/s);
});
