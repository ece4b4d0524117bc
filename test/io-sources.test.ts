// Where bytes come from: paths, URLs, memory, pipes; gzip; limits, aborts and files that are not there.
import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import {
  encodeNpy,
  encodeSafetensors,
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
import { failure, idxFile, type Reader, read } from './fixtures/io';

const count = 300_000;
const lines = Array.from({ length: count / 6 }, (_, i) => `${i % 2} 1:${i}.25 7:${i % 9}`).join(
  '\n',
);
const csv = Array.from({ length: count / 20 }, (_, i) => `${i},${i / 4},${i % 2}`).join('\n');
const floats = Float64Array.from({ length: count }, (_, i) => i / 3);
const bytes = Uint8Array.from({ length: count }, (_, i) => i % 251);
const formats: [
  string,
  Reader<{ maxBytes?: number; signal?: AbortSignal }, unknown>,
  Uint8Array,
][] = [
  ['libsvm', { async: readLibsvm, sync: readLibsvmSync }, Buffer.from(lines)],
  ['csv', { async: readCsv, sync: readCsvSync }, Buffer.from(csv)],
  ['npy', { async: readNpy, sync: readNpySync }, encodeNpy(floats)],
  ['idx', { async: readIdx, sync: readIdxSync }, idxFile(8, [count / 4, 4], bytes)],
  [
    'safetensors',
    { async: readSafetensors, sync: readSafetensorsSync },
    encodeSafetensors({ a: { data: floats, shape: [count] } }, { b: 'c' }),
  ],
];
const folder = mkdtempSync(join(tmpdir(), 'secondorder-io-'));
t.teardown(() => rmSync(folder, { recursive: true }));

for (const [name, reader, file] of formats) {
  t.test(`${name}: the same from everywhere`, async (t) => {
    const expected = await read(reader, file);
    const plain = join(folder, `${name}.gz`);
    const zipped = join(folder, name);
    const zip = gzipSync(file);
    writeFileSync(plain, file);
    writeFileSync(zipped, zip);
    t.ok(isDeepStrictEqual(await read(reader, plain), expected), 'a plain file, whatever its name');
    t.ok(isDeepStrictEqual(await read(reader, zipped), expected), 'a gzip file, whatever its name');
    t.ok(isDeepStrictEqual(await read(reader, zip), expected), 'gzip in memory');
    t.ok(isDeepStrictEqual(await read(reader, pathToFileURL(zipped)), expected), 'a URL');
    const odd = new Uint8Array(file.length + 3).subarray(3);
    odd.set(file);
    t.ok(isDeepStrictEqual(await read(reader, odd), expected), 'bytes at an odd place');
    const half = Math.floor(file.length / 2);
    const members = [file.subarray(0, half), file.subarray(half)].map((part) => gzipSync(part));
    t.ok(
      isDeepStrictEqual(await read(reader, Buffer.concat(members)), expected),
      'gzip in two members',
    );
  });

  t.test(`${name}: gzip that is cut or damaged`, async (t) => {
    const zip = gzipSync(file);
    for (const end of [3, 9, 20, Math.floor(zip.length / 2), zip.length - 1]) {
      const part = zip.subarray(0, end);
      // Malformed text before the missing bytes is seen first where chunks are read one by one.
      await t.rejects(reader.async(part), { code: 'ERR_FORMAT' }, `${end} of ${zip.length} bytes`);
      t.throws(() => reader.sync(part), { code: 'ERR_FORMAT', message: /damaged gzip/ });
    }
    const wrong = Buffer.from(zip);
    wrong.writeUInt8(wrong.readUInt8(zip.length - 8) ^ 1, zip.length - 8);
    t.equal((await failure(reader, wrong)).code, 'ERR_FORMAT', 'checksum');
  });

  t.test(`${name}: limits`, async (t) => {
    const options = { maxBytes: file.length };
    const path = join(folder, name);
    const sources = [file, gzipSync(file), path, `${path}.gz`];
    for (const source of sources) {
      t.ok(
        isDeepStrictEqual(await read(reader, source, options), await reader.async(file)),
        'at the limit',
      );
      const less = { maxBytes: file.length - 1 };
      // Binary formats may see from their header that the limit will be passed.
      await t.rejects(reader.async(source, less), {
        code: 'ERR_FORMAT',
        message: /maxBytes|at most/,
      });
      const tooMuch = { code: 'ERR_FORMAT', argument: 'options.maxBytes' };
      t.throws(() => reader.sync(source, less), tooMuch);
    }
    t.match(await failure(reader, file, { maxBytes: 0 }), { argument: 'options.maxBytes' });
  });

  t.test(`${name}: files that are not there`, async (t) => {
    const nowhere = join(folder, 'nowhere', 'x');
    t.match(await failure(reader, nowhere), {
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'source',
      message: /cannot read .*nowhere.x: ENOENT/,
    });
    await t.rejects(reader.async(nowhere), { cause: { code: 'ENOENT', path: nowhere } });
    t.match(await failure(reader, folder), { message: /EISDIR/, argument: 'source' });
    t.match(await failure(reader, 'a\0b'), { code: 'ERR_INVALID_ARGUMENT', argument: 'source' });
    for (const source of ['', 7, null, new URL('https://example.com/a.csv'), new Float64Array(1)]) {
      const found = await failure(reader, source as string);
      t.match(found, { code: 'ERR_INVALID_ARGUMENT', argument: 'source' });
    }
  });

  t.test(`${name}: aborts`, async (t) => {
    const already = await failure(reader, file, { signal: AbortSignal.abort('enough') });
    t.equal(already.code, 'ERR_ABORTED');
    for (const source of [file, gzipSync(file), join(folder, name), join(folder, `${name}.gz`)]) {
      const controller = new AbortController();
      const reading = reader.async(source, { signal: controller.signal });
      setImmediate(() => controller.abort('changed my mind'));
      await t.rejects(reading, { code: 'ERR_ABORTED', cause: 'changed my mind' });
    }
    await t.rejects(reader.async(file, { signal: {} as AbortSignal }), {
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'options.signal',
    });
  });

  t.test(`${name}: a pipe`, async (t) => {
    const pipe = join(folder, `${name}.pipe`);
    execFileSync('mkfifo', [pipe]);
    createWriteStream(pipe).end(gzipSync(file));
    t.ok(isDeepStrictEqual(await reader.async(pipe), await reader.async(file)));
  });
}

t.test('a small gzip file that becomes huge', async (t) => {
  const bomb = gzipSync(Buffer.alloc(2 ** 27, '1'));
  t.ok(bomb.length < 2 ** 18);
  const maxBytes = 2 ** 20;
  for (const [name, reader] of formats) {
    const start = process.memoryUsage().rss;
    await t.rejects(reader.async(bomb, { maxBytes }), { code: 'ERR_FORMAT' }, name);
    const tooMuch = { code: 'ERR_FORMAT', argument: 'options.maxBytes' };
    t.throws(() => reader.sync(bomb, { maxBytes }), tooMuch, name);
    t.ok(process.memoryUsage().rss - start < 2 ** 26, name);
  }
});

t.test('a header that lies about its size in gzip', async (t) => {
  const file = idxFile(8, [2 ** 31, 1], Uint8Array.of(1, 2, 3));
  const zip = gzipSync(file);
  const start = process.memoryUsage();
  await t.rejects(readIdx(zip), { code: 'ERR_FORMAT', byteOffset: 4 });
  t.throws(() => readIdxSync(zip), { code: 'ERR_FORMAT', byteOffset: 4 });
  t.ok(process.memoryUsage().arrayBuffers - start.arrayBuffers < 2 ** 24);
});

t.test('reading leaves the event loop free', async (t) => {
  const whole = Buffer.from(Array.from({ length: 40 }, () => lines).join('\n'));
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  const start = performance.now();
  await readLibsvm(whole);
  const total = performance.now() - start;
  clearInterval(timer);
  t.ok(longest < total / 2, `held up for ${longest} of ${total} ms`);
});
