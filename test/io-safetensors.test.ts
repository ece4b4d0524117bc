// The safetensors reader and writer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  encodeSafetensors,
  readSafetensors,
  readSafetensorsSync,
  type TensorContent,
  writeSafetensors,
  writeSafetensorsSync,
} from 'secondorder/io';
import t from 'tap';
import { failure, read, safetensorsFile } from './fixtures/io';

const reader = { async: readSafetensors, sync: readSafetensorsSync };

t.test('a file byte by byte', async (t) => {
  const header = {
    b: { dtype: 'F32', shape: [1, 2], data_offsets: [2, 10] },
    __metadata__: { format: 'pt' },
    a: { dtype: 'BOOL', shape: [2], data_offsets: [0, 2] },
  };
  const file = safetensorsFile(header, Buffer.from('01000000803f000000c0', 'hex'));
  const { tensors, metadata } = await read(reader, file);
  t.same(Object.keys(tensors), ['a', 'b'], 'in the order of the data');
  t.same(tensors.a, { data: Uint8Array.of(1, 0), shape: [2], dtype: 'BOOL' });
  t.same(tensors.b, { data: Float32Array.of(1, -2), shape: [1, 2], dtype: 'F32' });
  t.same({ ...metadata }, { format: 'pt' });
});

t.test('what is written is read again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'secondorder-safetensors-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const tensors: Record<string, Required<TensorContent>> = {
    i8: { data: Int8Array.of(-1), shape: [1], dtype: 'I8' },
    u8: { data: Uint8Array.of(255, 1, 2), shape: [3, 1], dtype: 'U8' },
    yes: { data: Uint8Array.of(1), shape: [], dtype: 'BOOL' },
    e4: { data: Uint8Array.of(99), shape: [1], dtype: 'F8_E4M3' },
    i16: { data: Int16Array.of(-2), shape: [1], dtype: 'I16' },
    half: { data: Uint16Array.of(0x3c00), shape: [1], dtype: 'F16' },
    brain: { data: Uint16Array.of(0x3f80), shape: [1], dtype: 'BF16' },
    i32: { data: Int32Array.of(-3), shape: [1], dtype: 'I32' },
    u32: { data: Uint32Array.of(2 ** 32 - 1), shape: [1], dtype: 'U32' },
    i64: { data: BigInt64Array.of(-(2n ** 63n)), shape: [1], dtype: 'I64' },
    u64: { data: BigUint64Array.of(2n ** 64n - 1n), shape: [1], dtype: 'U64' },
    f32: { data: Float32Array.of(0.1, NaN, Infinity, -0), shape: [2, 2], dtype: 'F32' },
    f64: { data: Float64Array.of(0.1), shape: [1, 1, 1], dtype: 'F64' },
    empty: { data: new Float32Array(0), shape: [0, 5], dtype: 'F32' },
    ['__proto__']: { data: Float32Array.of(7), shape: [1], dtype: 'F32' },
    'ünï "quoted"\n': { data: Float32Array.of(8), shape: [1], dtype: 'F32' },
  };
  const metadata = { options: '{"beta":1}', ü: '' };
  const path = join(folder, 'x.safetensors');
  await writeSafetensors(path, tensors, metadata);
  const result = await read(reader, path);
  t.same({ ...result.metadata }, metadata);
  t.equal(Object.keys(result.tensors).length, Object.keys(tensors).length);
  for (const [name, tensor] of Object.entries(tensors)) t.same(result.tensors[name], tensor, name);
  writeSafetensorsSync(path, tensors, metadata);
  t.same(await read(reader, path), result);
  const reordered = Object.fromEntries(Object.entries(tensors).reverse());
  t.same(encodeSafetensors(reordered, metadata), encodeSafetensors(tensors, metadata));
  t.same(await read(reader, gzipSync(encodeSafetensors(tensors, metadata))), result);
});

t.test('nothing, with or without metadata', async (t) => {
  const { tensors, metadata } = await read(reader, encodeSafetensors({}));
  t.same([{ ...tensors }, { ...metadata }], [{}, {}]);
  t.same({ ...(await read(reader, encodeSafetensors({}, { a: 'b' }))).metadata }, { a: 'b' });
});

t.test('tensors begin at multiples of their entry size', (t) => {
  const file = Buffer.from(
    encodeSafetensors({
      a: { data: Uint8Array.of(1), shape: [1] },
      b: { data: Float64Array.of(1), shape: [1] },
      c: { data: Float32Array.of(1), shape: [1] },
    }),
  );
  const length = Number(file.readBigUInt64LE());
  t.equal(length % 8, 0);
  t.same(JSON.parse(file.toString('utf8', 8, 8 + length)), {
    b: { dtype: 'F64', shape: [1], data_offsets: [0, 8] },
    c: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
    a: { dtype: 'U8', shape: [1], data_offsets: [12, 13] },
  });
  t.end();
});

t.test('a header whose length looks like gzip', async (t) => {
  const header = `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`.padEnd(0x088b1f, ' ');
  const file = safetensorsFile(header, Uint8Array.of(5));
  t.same([...file.subarray(0, 3)], [0x1f, 0x8b, 0x08]);
  t.same((await read(reader, file)).tensors.a?.data, Uint8Array.of(5));
});

t.test('malformed files are refused with the byte', async (t) => {
  const entry = (change: object) => ({
    a: { dtype: 'F32', shape: [1], data_offsets: [0, 4], ...change },
  });
  const four = new Uint8Array(4);
  const length = (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  const two = (begin: number, end: number) =>
    safetensorsFile(
      {
        a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
        b: { dtype: 'U8', shape: [end - begin], data_offsets: [begin, end] },
      },
      four,
    );
  const nested = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const cases: [Uint8Array, RegExp, number][] = [
    [new Uint8Array(0), /ends within the length/, 0],
    [new Uint8Array(7), /ends within the length/, 7],
    [length(0n), /begins with {/, 8],
    [length(2n ** 64n - 1n), /no safetensors file: .* the most is 100000000/, 0],
    [length(100_000_001n), /no safetensors file: .* the most is 100000000/, 0],
    [length(99_000_000n), /would take 99000000 bytes; at most 0/, 0],
    [safetensorsFile(' {}'), /begins with {/, 8],
    [safetensorsFile('{'), /no JSON/, 8],
    [Buffer.concat([length(8n), Buffer.from('{"\xff": 1}', 'latin1')]), /no JSON in UTF-8/, 8],
    [safetensorsFile('{}{}'), /no JSON/, 8],
    [safetensorsFile('{"__metadata__":{},"__metadata__":{}}'), /"__metadata__" twice/, 8],
    [safetensorsFile('{"__metadata__":{"a":"","\\u0061":""}}'), /"a" twice/, 8],
    [safetensorsFile({ a: 1 }), /tensor "a" is no object/, 8],
    [safetensorsFile(nested), /tensor "a" is no object/, 8],
    [safetensorsFile(entry({ extra: 1 }), four), /has a key "extra"/, 8],
    [safetensorsFile(entry({ dtype: 'F31' }), four), /the type "F31", which is not one of/, 8],
    [safetensorsFile(entry({ dtype: undefined }), four), /the type undefined/, 8],
    [safetensorsFile(entry({ dtype: 'toString' }), four), /the type "toString"/, 8],
    [safetensorsFile(entry({ shape: [-1] }), four), /a shape that is not/, 8],
    [safetensorsFile(entry({ shape: [1.5] }), four), /a shape that is not/, 8],
    [safetensorsFile(entry({ shape: ['1'] }), four), /a shape that is not/, 8],
    [safetensorsFile(entry({ shape: Array(65).fill(1) }), four), /a shape that is not/, 8],
    [safetensorsFile(entry({ data_offsets: [0] }), four), /data_offsets/, 8],
    [safetensorsFile(entry({ data_offsets: [4, 0] }), four), /data_offsets/, 8],
    [safetensorsFile(entry({ data_offsets: [0, 8] }), four), /takes 4 bytes, but has 8/, 8],
    [safetensorsFile(entry({ shape: [2 ** 40, 2 ** 40] }), four), /more than 2\^53 bytes/, 8],
    [safetensorsFile(entry({ data_offsets: [4, 8] }), new Uint8Array(8)), /not at 0/, 8],
    [two(3, 4), /begins at 3, not at 2/, 8],
    [two(1, 4), /begins at 1, not at 2/, 8],
    [safetensorsFile(entry({}), four.subarray(1)), /take 4 bytes; at most 3/, 8],
    [
      safetensorsFile(entry({ shape: [2 ** 50], data_offsets: [0, 2 ** 52] }), four),
      /take 4503599627370496 bytes; at most 4/,
      8,
    ],
    [
      safetensorsFile(entry({ dtype: 'BOOL', data_offsets: [0, 1] }), Uint8Array.of(2)),
      /boolean is neither/,
      63,
    ],
    [safetensorsFile(entry({}), new Uint8Array(5)), /goes on after the end/, 66],
    [safetensorsFile('{}', four), /goes on after the end/, 10],
    [safetensorsFile({ __metadata__: { a: 1 } }), /no string at "a"/, 8],
    [safetensorsFile({ __metadata__: [] }), /__metadata__ is no object/, 8],
  ];
  for (const [file, message, byteOffset] of cases) {
    const found = await failure(reader, file);
    t.match(found, { code: 'ERR_FORMAT', message }, String(message));
    t.equal(found.byteOffset, byteOffset, String(found.message));
  }
});

t.test('content that cannot be written', async (t) => {
  const one = Float32Array.of(1);
  const wrong: [unknown, unknown, string][] = [
    [null, {}, 'tensors'],
    [{ a: one }, {}, 'tensors["a"]'],
    [{ a: { data: [1], shape: [1] } }, {}, 'tensors["a"].data'],
    [{ a: { data: one, shape: [2] } }, {}, 'tensors["a"].shape'],
    [{ a: { data: one, shape: 1 } }, {}, 'tensors["a"].shape'],
    [{ a: { data: one, shape: [1], dtype: 'F64' } }, {}, 'tensors["a"].dtype'],
    [{ a: { data: one, shape: [1], type: 'F32' } }, {}, 'tensors["a"].type'],
    [{ __metadata__: { data: one, shape: [1] } }, {}, 'tensors["__metadata__"]'],
    [{}, { a: 1 }, 'metadata["a"]'],
    [{}, [], 'metadata'],
  ];
  for (const [tensors, metadata, argument] of wrong) {
    t.throws(
      () =>
        encodeSafetensors(
          tensors as Record<string, TensorContent>,
          metadata as Record<string, string>,
        ),
      { code: 'ERR_INVALID_ARGUMENT', argument },
    );
  }
});
