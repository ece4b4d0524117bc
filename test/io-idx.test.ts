// The IDX reader.
import { readIdx, readIdxSync } from 'secondorder/io';
import t from 'tap';
import { failure, idxFile, read } from './fixtures/io';

const reader = { async: readIdx, sync: readIdxSync };

t.test('every type, big-endian', async (t) => {
  const cases: [number, string, string, ArrayLike<number>][] = [
    [0x08, 'uint8', '01fe', Uint8Array.of(1, 254)],
    [0x09, 'int8', '01fe', Int8Array.of(1, -2)],
    [0x0b, 'int16', '0001fffe', Int16Array.of(1, -2)],
    [0x0c, 'int32', '00000001fffffffe', Int32Array.of(1, -2)],
    [0x0d, 'float32', '3f800000c0000000', Float32Array.of(1, -2)],
    [0x0e, 'float64', '3ff0000000000000c000000000000000', Float64Array.of(1, -2)],
  ];
  for (const [type, dtype, hex, data] of cases) {
    const file = idxFile(type, [2], Buffer.from(hex, 'hex'));
    t.same(await read(reader, file), { data, shape: [2], dtype });
  }
});

t.test('shapes', async (t) => {
  const images = await read(reader, idxFile(8, [2, 1, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)));
  t.same(images.shape, [2, 1, 3]);
  t.same((await read(reader, idxFile(8, [0, 28, 28], new Uint8Array(0)))).shape, [0, 28, 28]);
});

t.test('malformed files are refused with the byte', async (t) => {
  const one = Uint8Array.of(1);
  const huge = 2 ** 32 - 1;
  const cases: [Uint8Array, RegExp, number][] = [
    [new Uint8Array(0), /ends within the IDX header/, 0],
    [Uint8Array.of(0, 0, 8), /ends within the IDX header/, 3],
    [Uint8Array.of(0, 1, 8, 1), /two zero bytes/, 0],
    [idxFile(0x0a, [1], one), /unknown IDX type 10/, 2],
    [idxFile(8, [], one), /at least one axis/, 3],
    [idxFile(8, [1, 1], one).subarray(0, 10), /ends within the IDX header/, 10],
    [idxFile(8, [2], one), /an array of 2 would take 2 bytes; at most 1 follow/, 4],
    [idxFile(8, [huge], one), /4294967295 bytes/, 4],
    [idxFile(0x0e, [huge, huge, huge], one), /more than 2\^53 bytes/, 4],
    [idxFile(8, [0, huge, huge], one), /more than 2\^53 bytes/, 4],
    [
      idxFile(
        8,
        Array.from({ length: 255 }, () => huge),
        one,
      ),
      /more than 2\^53 bytes/,
      4,
    ],
    [idxFile(8, [1], Uint8Array.of(1, 2)), /goes on after the end/, 9],
    [idxFile(8, [0], one), /goes on after the end/, 8],
  ];
  for (const [file, message, byteOffset] of cases) {
    const found = await failure(reader, file);
    t.match(found, { code: 'ERR_FORMAT', message }, String(message));
    t.equal(found.byteOffset, byteOffset, String(found.message));
  }
});
