// The .npy reader and writer, and matrices of arrays.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeNpy,
  type NpyContent,
  readNpy,
  readNpySync,
  toMatrix,
  writeNpy,
  writeNpySync,
} from 'secondorder/io';
import t from 'tap';
import { failure, npyFile, read } from './fixtures/io';

const reader = { async: readNpy, sync: readNpySync };

/** A header of .npy as numpy writes it. */
function header(descr: string, fortran: boolean, shape: string): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }\n`;
}

t.test('a file that numpy wrote', async (t) => {
  // numpy.save of numpy.asfortranarray(numpy.arange(6).reshape(2, 3).astype('>i2'))
  const file = Buffer.from(
    `\x93NUMPY\x01\x00v\x00{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }${' '.repeat(59)}\n\x00\x00\x00\x03\x00\x01\x00\x04\x00\x02\x00\x05`,
    'latin1',
  );
  t.same(await read(reader, file), {
    data: Int16Array.of(0, 1, 2, 3, 4, 5),
    shape: [2, 3],
    dtype: 'int16',
  });
});

t.test('every type in both byte orders and all versions', async (t) => {
  const cases: [string, string, string, (new (v: number[]) => ArrayLike<number>) | undefined][] = [
    ['f2', 'float16', '3c00c000', Float32Array],
    ['f4', 'float32', '3f800000c0000000', Float32Array],
    ['f8', 'float64', '3ff0000000000000c000000000000000', Float64Array],
    ['i1', 'int8', '01fe', Int8Array],
    ['i2', 'int16', '0001fffe', Int16Array],
    ['i4', 'int32', '00000001fffffffe', Int32Array],
    ['i8', 'int64', '0000000000000001fffffffffffffffe', Float64Array],
  ];
  for (const [name, dtype, hex, type] of cases) {
    const big = Buffer.from(hex, 'hex');
    const size = big.length / 2;
    const little = Buffer.concat([
      Buffer.from(big.subarray(0, size)).reverse(),
      Buffer.from(big.subarray(size)).reverse(),
    ]);
    const orders: [string, Buffer][] = [
      ['>', big],
      ['<', little],
    ];
    for (const [order, data] of orders) {
      for (const version of [1, 2, 3]) {
        const file = npyFile(header(order + name, false, '(2,)'), data, version);
        const expected = { data: type && new type([1, -2]), shape: [2], dtype };
        t.same(await read(reader, file), expected, `${order}${name} version ${version}`);
      }
    }
  }
});

t.test('unsigned, boolean and special values', async (t) => {
  const ones = Buffer.alloc(8, 0xff);
  const values = async (descr: string, shape: string, data: Uint8Array) =>
    (await read(reader, npyFile(header(descr, false, shape), data))).data;
  t.same(await values('|u1', '(2,)', ones.subarray(0, 2)), Uint8Array.of(255, 255));
  t.same(await values('<u2', '(2,)', ones.subarray(0, 4)), Uint16Array.of(65535, 65535));
  t.same(await values('>u4', '(1,)', ones.subarray(0, 4)), Uint32Array.of(2 ** 32 - 1));
  t.same(await values('|b1', '(3,)', Uint8Array.of(1, 0, 1)), Uint8Array.of(1, 0, 1));
  const exact = Buffer.from('00000000000020000000000000000000', 'hex');
  t.same(await values('<u8', '(2,)', exact), Float64Array.of(2 ** 53, 0));
  const halves = Buffer.from('007c00fc007e0100ff030004ff7b0080', 'hex');
  const expected = [Infinity, -Infinity, NaN, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, -0];
  t.same(await values('<f2', '(8,)', halves), Float32Array.from(expected));
});

t.test('shapes and orders', async (t) => {
  const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => i);
  const array = async (shape: string, data: Uint8Array, fortran = false) =>
    read(reader, npyFile(header('|u1', fortran, shape), data));
  t.same((await array('()', bytes(1))).shape, []);
  t.same((await array('(0,)', bytes(0))).shape, [0]);
  t.same((await array('(3, 0, 2)', bytes(0), true)).shape, [3, 0, 2]);
  t.same((await array('(2L, 2L)', bytes(4))).shape, [2, 2]);
  t.same((await array('(5,)', bytes(5), true)).data, bytes(5));
  const cube = await array('(2, 3, 4)', bytes(24), true);
  const expected = bytes(24).map((_, k) => {
    const [i, j, l] = [Math.floor(k / 12), Math.floor(k / 4) % 3, k % 4];
    return i + 2 * j + 6 * l;
  });
  t.same(cube.data, expected);
  const tall = bytes(60_000);
  const transposed = await array('(30000, 2)', tall, true);
  t.same(
    transposed.data.subarray(0, 4),
    Uint8Array.of(tall[0]!, tall[30_000]!, tall[1]!, tall[30_001]!),
  );
  t.equal(transposed.data.at(-1), tall.at(-1));
});

t.test('headers as other writers make them', async (t) => {
  const data = Uint8Array.of(1, 2);
  const expected = { data, shape: [2], dtype: 'uint8' };
  for (const text of [
    '{"shape":(2,),"fortran_order":False,"descr":"|u1"}',
    "  {'descr' : '<u1' , 'fortran_order':False,'shape': ( 2 , ) ,}   \n",
    "{'descr': '=u1', 'fortran_order': False, 'shape': (2,)}",
  ]) {
    t.same(await read(reader, npyFile(text, data)), expected, text);
  }
});

t.test('what is written is read again, and as numpy lays it out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'secondorder-npy-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const matrix = { data: Float32Array.of(1, 2, 3, 4, 5, NaN), rows: 2, cols: 3 };
  const cases: [NpyContent, string, number[], ArrayLike<number>][] = [
    [matrix, 'float32', [2, 3], matrix.data],
    [{ data: Int16Array.of(1, -2), shape: [1, 2, 1] }, 'int16', [1, 2, 1], Int16Array.of(1, -2)],
    [Float64Array.of(0.1), 'float64', [1], Float64Array.of(0.1)],
    [[1, 2.5], 'float64', [2], Float64Array.of(1, 2.5)],
    [BigInt64Array.of(-3n), 'int64', [1], Float64Array.of(-3)],
    [BigUint64Array.of(3n), 'uint64', [1], Float64Array.of(3)],
    [Uint8Array.of(), 'uint8', [0], Uint8Array.of()],
    [{ data: Uint32Array.of(7), shape: [] }, 'uint32', [], Uint32Array.of(7)],
  ];
  for (const [content, dtype, shape, data] of cases) {
    const path = join(folder, `${dtype}.npy`);
    await writeNpy(path, content);
    t.same(await read(reader, path), { data, shape, dtype });
    writeNpySync(path, content);
    t.same(await read(reader, path), await read(reader, encodeNpy(content)));
  }
  const file = Buffer.from(encodeNpy(matrix));
  t.equal(file.indexOf('\n') % 64, 63, 'data begin at a multiple of 64 bytes');
  t.equal(file.length, 128 + 24);
  t.equal(
    file.toString('latin1', 10, 128).trimEnd(),
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
  );
});

t.test('malformed files are refused with the byte', async (t) => {
  const good = header('<f4', false, '(2,)');
  const data = new Uint8Array(8);
  const end = 10 + good.length;
  const type = (name: string) => header(name, false, '(1,)');
  const cases: [Uint8Array, RegExp, number][] = [
    [new Uint8Array(0), /ends within the npy header/, 0],
    [Buffer.from('\x93NUMP', 'latin1'), /ends within the npy header/, 5],
    [Buffer.from('PK\x03\x04....', 'latin1'), /begins with/, 0],
    [npyFile(good, data, 4), /version 4 is not one of 1, 2, 3/, 6],
    [npyFile(good, data, 0), /version 0/, 6],
    [npyFile(good, data).subarray(0, 30), /ends within the npy header/, 30],
    [npyFile(`${good}${' '.repeat(2 ** 16)}`, data, 2), /header of \d+ bytes/, 8],
    [npyFile(good, data.subarray(1)), /would take 8 bytes; at most 7/, 10],
    [npyFile(good, new Uint8Array(9)), /goes on after the end/, end + 8],
    [npyFile('', data), /should have '{' here/, 10],
    [npyFile('[]', data), /should have '{' here, not "\[\]"/, 10],
    [npyFile('{}', data), /lacks 'descr'/, 10],
    [
      npyFile(good.replace('}', ''), data),
      /a tuple of sizes here, not ""/,
      10 + good.indexOf(' }'),
    ],
    [npyFile(`${good} x`, data), /should have the end of the header here, not "x"/, end + 1],
    [npyFile(good.replace("'shape'", "'descr'"), data), /a new key/, 10 + good.indexOf(': (')],
    [npyFile(good.replace(', }', ", 'x': True}"), data), /keys that are not known/, 10],
    [npyFile(good.replace("'<f4'", 'True'), data), /'descr' is not a string/, 10],
    [npyFile(good.replace('False', '(0,)'), data), /'fortran_order' is no boolean/, 10],
    [npyFile(good.replace('(2,)', "'2'"), data), /'shape' is no tuple/, 10],
    [npyFile(good.replace('(2,)', '(-2,)'), data), /a size below 2\^53/, 10 + good.indexOf('2,)')],
    [npyFile(good.replace('(2,)', '(2, 1e3)'), data), /'\)'/, 10 + good.indexOf('2,)') + 4],
    [npyFile(type('<c8'), data), /type "<c8" is not one of/, 10],
    [npyFile(type('|O'), data), /type "\|O" is not one of/, 10],
    [npyFile(type('<U1'), data), /type "<U1" is not one of/, 10],
    [npyFile(type('|f8'), data), /type "\|f8" is not one of/, 10],
    [npyFile(type('<f16'), data), /type "<f16" is not one of/, 10],
    [npyFile(good.replace("'<f4'", "[('a', '<i4')]"), data), /several fields/, 10 + 10],
    [npyFile(type('|b1'), Uint8Array.of(2)), /boolean is neither/, 10 + good.length],
    [
      npyFile(
        header('<i8', false, '(2,)'),
        Buffer.from(`${'00'.repeat(8)}0100000000002000`, 'hex'),
      ),
      /above 2\^53/,
      end + 8,
    ],
    [npyFile(header('<f8', false, '(4503599627370496,)'), data), /more than 2\^53 bytes/, 10],
    [
      npyFile(header('<f8', false, '(9007199254740992,)'), data),
      /a size below/,
      10 + good.indexOf('2,)'),
    ],
    [npyFile(header('<f8', false, '(0, 3037000500, 3037000500)'), data), /more than 2\^53/, 10],
    [npyFile(header('|u1', false, '(1000000000000,)'), data), /1000000000000 bytes; at most 8/, 10],
  ];
  for (const [file, message, byteOffset] of cases) {
    const found = await failure(reader, file);
    t.match(found, { code: 'ERR_FORMAT', message }, String(message));
    t.equal(found.byteOffset, byteOffset, String(found.message));
  }
});

t.test('content that cannot be written', async (t) => {
  const wrong: [unknown, string][] = [
    [null, 'content'],
    ['x', 'content'],
    [[1, '2'], 'content'],
    [{ data: [1], shape: [1] }, 'content.data'],
    [{ data: Float32Array.of(1), shape: [2] }, 'content.data'],
    [{ data: Float32Array.of(1), shape: [-1] }, 'content'],
    [{ data: Float32Array.of(1), rows: 1 }, 'content'],
    [new Uint8ClampedArray(1), 'content'],
  ];
  for (const [content, argument] of wrong) {
    t.throws(() => encodeNpy(content as NpyContent), { code: 'ERR_INVALID_ARGUMENT', argument });
  }
  const nowhere = join(tmpdir(), 'no', 'such', 'folder', 'x.npy');
  const error = { code: 'ERR_INVALID_ARGUMENT', argument: 'target', cause: { code: 'ENOENT' } };
  await t.rejects(writeNpy(nowhere, [1]), error);
  t.throws(() => writeNpySync(nowhere, [1]), error);
});

t.test('matrices of arrays', async (t) => {
  const bytes = { data: Uint8Array.of(0, 51, 102, 255), shape: [2, 1, 2] };
  t.same(toMatrix(bytes), { data: Float32Array.of(0, 51, 102, 255), rows: 2, cols: 2 });
  t.same(
    toMatrix(bytes, { divideBy: 255, precision: 'float64' }).data,
    Float64Array.of(0, 0.2, 0.4, 1),
  );
  t.same(toMatrix({ data: Int32Array.of(1, 2), shape: [2] }), {
    data: Float64Array.of(1, 2),
    rows: 2,
    cols: 1,
  });
  t.same(toMatrix({ data: Float64Array.of(7), shape: [] }), {
    data: Float64Array.of(7),
    rows: 1,
    cols: 1,
  });
  const shared = Float32Array.of(1, 2);
  t.equal(toMatrix({ data: shared, shape: [1, 2] }).data, shared, 'shared where it fits');
  t.not(toMatrix({ data: shared, shape: [1, 2] }, { divideBy: 2 }).data, shared);
  const wrong: [unknown, unknown, string][] = [
    [null, {}, 'tensor'],
    [{ data: [1], shape: [1] }, {}, 'tensor.data'],
    [{ data: BigInt64Array.of(1n), shape: [1] }, {}, 'tensor.data'],
    [{ data: shared, shape: [3] }, {}, 'tensor.data'],
    [{ data: shared, shape: 2 }, {}, 'tensor.shape'],
    [bytes, { divideBy: 0 }, 'options.divideBy'],
    [bytes, { precision: 'int' }, 'options.precision'],
  ];
  for (const [tensor, options, argument] of wrong) {
    t.throws(() => toMatrix(tensor as typeof bytes, options as object), {
      code: 'ERR_INVALID_ARGUMENT',
      argument,
    });
  }
});
