// Random and mutated files: a typed error or a valid result, never a crash, a hang or a huge array.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import {
  encodeNpy,
  encodeSafetensors,
  type NumericTensor,
  readCsv,
  readCsvSync,
  readIdx,
  readIdxSync,
  readLibsvm,
  readLibsvmSync,
  readNpy,
  readNpySync,
  readSafetensors,
  readSafetensorsSync,
} from 'secondorder/io';
import t from 'tap';
import { idxFile, npyFile } from './fixtures/io';
import { hold, typedCalls } from './fixtures/typed-errors';

interface Target {
  async: (bytes: Uint8Array) => Promise<unknown>;
  /** Reads and checks the result; throws something untyped when the result is not valid. */
  check: (bytes: Uint8Array) => void;
  seeds: Uint8Array[];
  words: string[];
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not valid: ${what}`);
}

function checkTensor({ data, shape }: Pick<NumericTensor, 'data' | 'shape'>, bytes: Uint8Array) {
  demand(data.length === shape.reduce((product, size) => product * size, 1), 'shape');
  demand(data.length <= bytes.length, 'size');
}

const targets: Record<string, Target> = {
  libsvm: {
    async: readLibsvm,
    check: (bytes) => {
      const { x, y } = readLibsvmSync(bytes);
      demand(x.rows === y.length && x.rowOffsets.length === x.rows + 1, 'rows');
      demand(x.rowOffsets.at(-1) === x.values.length, 'entries');
      demand(x.values.every(Number.isFinite) && y.every(Number.isFinite), 'finite');
      for (let i = 0; i < x.rows; i++) {
        const row = x.columns.subarray(x.rowOffsets[i], x.rowOffsets[i + 1]);
        demand(
          row.every((column, k) => column < x.cols && column > (row[k - 1] ?? -1)),
          'columns',
        );
      }
    },
    seeds: [Buffer.from('+1 1:0.5 3:-2e-1 # c\r\n\n-1 2:.25 10:7\n2 1:1\n')],
    words: [' ', ':', '\n', '#', '1', '1:2', 'nan', 'inf', 'e9', '-', 'qid:1', '99999999999'],
  },
  csv: {
    async: readCsv,
    check: (bytes) => {
      const { x, y, columns, missing } = readCsvSync(bytes, { missing: 'drop' });
      demand(x.data.length === x.rows * x.cols && x.cols === columns.length, 'shape');
      demand(y?.length === x.rows && missing.fields.length === x.cols, 'rows');
      demand(x.data.every(Number.isFinite), 'finite');
    },
    seeds: [Buffer.from('a,b,"c ""q"""\n1,-2.5,x\n,3e2,"y,\n"\n 4 ,?,z\r\n5,6,7\n')],
    words: [',', '"', '""', '\n', '\r', '\ufeff', '1', 'NA', '1e999', ' ', ';', '\t'],
  },
  npy: {
    async: readNpy,
    check: (bytes) => checkTensor(readNpySync(bytes), bytes),
    seeds: [
      encodeNpy(Float32Array.of(1, 2, 3)),
      encodeNpy({ data: Int16Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] }),
      npyFile("{'descr': '>i8', 'fortran_order': True, 'shape': (1, 2), }", new Uint8Array(16), 3),
    ],
    words: ['(', ')', ',', '9', '99999999999', "'", 'True', '{', '}', '>', '<f8', '|b1', '<i8'],
  },
  idx: {
    async: readIdx,
    check: (bytes) => checkTensor(readIdxSync(bytes), bytes),
    seeds: [
      idxFile(8, [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)),
      idxFile(0x0e, [1], new Uint8Array(8)),
    ],
    words: ['\0', '\x01', '\x08', '\x0e', '\xff', '\xff\xff\xff\xff'],
  },
  safetensors: {
    async: readSafetensors,
    check: (bytes) => {
      for (const { data, shape } of Object.values(readSafetensorsSync(bytes).tensors)) {
        demand(data.length === shape.reduce((product, size) => product * size, 1), 'shape');
        demand(data.byteLength <= bytes.length, 'size');
      }
    },
    seeds: [
      encodeSafetensors(
        { a: { data: Float32Array.of(1, 2), shape: [2] }, b: { data: Int8Array.of(1), shape: [] } },
        { c: 'd' },
      ),
    ],
    words: ['"', ':', ',', '[', ']', '{', '}', '0', '9', '99999999999', 'F64', 'a', '\\u0061', ' '],
  },
};

/** A valid file with a few bytes replaced, cut out, put in, or repeated. */
function mutated({ seeds, words }: Target): fc.Arbitrary<Buffer> {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(...words).map((word) => Buffer.from(word, 'latin1')),
  );
  const edit = fc.record({ at: fc.nat(), cut: fc.nat({ max: 6 }), piece });
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([seed, edits]) =>
      edits.reduce((bytes, { at, cut, piece }) => {
        const place = at % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place + cut)]);
      }, Buffer.from(seed)),
    );
}

const CODES = ['ERR_FORMAT', 'ERR_INVALID_ARGUMENT'] as const;

for (const [name, target] of Object.entries(targets)) {
  t.test(name, async (t) => {
    for (const seed of target.seeds) target.check(seed);
    const files = fc.oneof(mutated(target), fc.uint8Array({ maxLength: 200 }));
    const before = process.memoryUsage().arrayBuffers;
    const sync = typedCalls(CODES, 3000);
    await sync.hold(
      t,
      fc.property(files, (bytes) => sync.isTyped(() => target.check(bytes))),
    );
    t.ok(process.memoryUsage().arrayBuffers - before < 2 ** 28, 'no huge arrays');
    const async = typedCalls(CODES, 300);
    await async.hold(
      t,
      fc.asyncProperty(files, (bytes) => async.isTypedAsync(() => target.async(bytes))),
    );
  });
}

t.test('what is written is read again, whatever it is', async (t) => {
  const entries = fc.float64Array({ maxLength: 60 });
  await hold(
    t,
    fc.property(entries, fc.string(), fc.string(), (data, name, text) => {
      const npy = readNpySync(encodeNpy(data));
      demand(isDeepStrictEqual(npy.data, data), 'npy');
      if (name === '__metadata__') return;
      const file = readSafetensorsSync(
        encodeSafetensors({ [name]: { data, shape: [data.length] } }, { [name]: text }),
      );
      demand(isDeepStrictEqual(file.tensors[name]?.data, data), 'tensor');
      demand(file.metadata[name] === text, 'metadata');
    }),
    300,
  );
  const row = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 20 });
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  await hold(
    t,
    fc.property(
      fc.array(fc.tuple(number, row, number), { minLength: 1, maxLength: 20 }),
      (rows) => {
        const lines = rows.map(([label, indices, value]) => {
          const sorted = [...indices].sort((a, b) => a - b);
          return `${label} ${sorted.map((index) => `${index}:${value / index}`).join(' ')}`;
        });
        const { x, y } = readLibsvmSync(Buffer.from(lines.join('\n')));
        rows.forEach(([label, indices, value], i) => {
          demand(y[i] === label, 'label');
          const sorted = [...indices].sort((a, b) => a - b);
          sorted.forEach((index, k) => {
            const at = x.rowOffsets[i]! + k;
            demand(x.columns[at] === index - 1 && x.values[at] === value / index, 'entry');
          });
        });
      },
    ),
    300,
  );
});
