// The LIBSVM reader: what it accepts, and each thing it refuses, with the place.
import { type LibsvmOptions, readLibsvm, readLibsvmSync } from 'secondorder/io';
import t from 'tap';
import { failure, read } from './fixtures/io';

const reader = { async: readLibsvm, sync: readLibsvmSync };
const text = (lines: string) => Buffer.from(lines, 'latin1');

t.test('rows become CSR', async (t) => {
  const { x, y } = await read(reader, text('+1 1:0.5 3:-2e-1\n-1 2:.25\n2.5\n'));
  t.same(y, Float64Array.of(1, -1, 2.5));
  t.same(x, {
    values: Float64Array.of(0.5, -0.2, 0.25),
    columns: Int32Array.of(0, 2, 1),
    rowOffsets: Int32Array.of(0, 2, 3, 3),
    rows: 3,
    cols: 3,
  });
});

t.test('layout does not matter', async (t) => {
  const plain = await read(reader, text('1 1:2 3:4\n-1 2:5\n'));
  const variants = {
    'no newline at the end': '1 1:2 3:4\n-1 2:5',
    CRLF: '1 1:2 3:4\r\n-1 2:5\r\n',
    'blank lines, blanks and tabs': '\n \t\n  1\t1:2   3:4  \n\n-1 2:5\n\n\n',
    'comments, whole lines and after rows': '# first\n1 1:2 3:4 # x 9:9\n#\n-1 2:5#end\n#',
    'byte order mark': '\xef\xbb\xbf1 1:2 3:4\n-1 2:5\n',
    'byte order mark on a line of its own': '\xef\xbb\xbf\n1 1:2 3:4\n-1 2:5\n',
    'zeros in front': '01 01:2 003:4\n-1 2:05\n',
  };
  for (const [name, variant] of Object.entries(variants)) {
    t.same(await read(reader, text(variant)), plain, name);
  }
});

t.test('numbers are those of Number(), to the last bit', async (t) => {
  const spellings = [
    '0.1',
    '123456789012345',
    '1234567890123456789',
    '9007199254740993',
    '0.30000000000000004',
    '.5',
    '5.',
    '-0',
    '4.9e-324',
    '1.7976931348623157E+308',
    '1e22',
    '1e23',
    '0.000000000000001',
    '123456.789012345',
    '2.2250738585072011e-308',
  ];
  const { x } = await read(reader, text(spellings.map((one) => `1 1:${one}`).join('\n')));
  t.same(x.values, Float64Array.from(spellings, Number));
  t.ok(Object.is(x.values[7], -0));
});

t.test('options', async (t) => {
  const file = text('1 1:0.1 3:4\n');
  t.equal((await read(reader, file, { features: 7 })).x.cols, 7);
  const single = await read(reader, file, { precision: 'float32' });
  t.same(single.x.values, Float32Array.of(0.1, 4));
  const based = await read(reader, text('1 0:5 2:6\n'), { indexBase: 0 });
  t.same(based.x.columns, Int32Array.of(0, 2));
  t.equal(based.x.cols, 3);
  const ranked = await read(reader, text('3 qid:1 1:2\n'), { qid: 'ignore' });
  t.same(ranked.x.columns, Int32Array.of(0));
});

t.test('rows longer than a chunk, and tokens cut at every place', async (t) => {
  const count = 200_000;
  const entries = Array.from({ length: count }, (_, i) => `${i + 1}:${i}.5`).join(' ');
  const { x, y } = await read(
    reader,
    text(`1 ${entries}\n-1 ${entries} # ${'c'.repeat(600_000)}\n`),
  );
  t.same(y, Float64Array.of(1, -1));
  t.same(x.rowOffsets, Int32Array.of(0, count, 2 * count));
  t.ok(x.values.every((value, k) => value === (k % count) + 0.5));
  t.ok(x.columns.every((column, k) => column === k % count));
});

t.test('malformed files are refused with line and column', async (t) => {
  const cases: [string, string, number, number | undefined, LibsvmOptions?][] = [
    ['', 'holds no rows', 1, undefined],
    ['# only a comment\n\n', 'holds no rows', 1, undefined],
    ['1 1:2\nx 1:2\n', 'a row begins with a finite number as its label, not "x"', 2, 1],
    ['1:2 2:3\n', 'a row begins with a finite number as its label, not "1:2"', 1, 1],
    ['1,2 1:2\n', 'a row begins with a finite number as its label, not "1,2"', 1, 1],
    ['nan 1:2\n', 'a row begins with a finite number as its label, not "nan"', 1, 1],
    ['1e999 1:2\n', 'a row begins with a finite number as its label, not "1e999"', 1, 1],
    ['1 1:2 3\n', 'expected index:value, got "3"', 1, 7],
    ['1 1:2 a:3\n', 'expected index:value, got "a:3"', 1, 7],
    ['1 -1:2\n', 'expected index:value, got "-1:2"', 1, 3],
    ['1 :2\n', 'expected index:value, got ":2"', 1, 3],
    ['1 1 :2\n', 'expected index:value, got "1"', 1, 3],
    ['1\r2\n', 'expected index:value, got "2"', 1, 3],
    [
      '1 qid:4 1:2\n',
      '"qid:4": query ids are for ranking; options.qid \'ignore\' drops them',
      1,
      3,
    ],
    ['1 1:2 qid:4\n', 'expected index:value, got "qid:4"', 1, 7, { qid: 'ignore' }],
    ['1 0:2\n', 'index 0; the first index is 1', 1, 3],
    ['1 1:2\n\n# c\n1 3:1 3:2\n', 'index 3 after 3; indices must ascend within a row', 4, 7],
    ['1 3:1 2:2\r\n', 'index 2 after 3; indices must ascend within a row', 1, 7],
    ['1 3:1\n', 'index 3 is above 2, the last of the 2 features asked for', 1, 3, { features: 2 }],
    ['1 2147483648:1\n', 'index 2147483648 is above 2147483647, the largest possible', 1, 3],
    ['1 1:\n', 'the value of index 1 must be a finite float64 number, not ""', 1, 5],
    ['1 1:NaN\n', 'the value of index 1 must be a finite float64 number, not "NaN"', 1, 5],
    ['1 1:-inf\n', 'the value of index 1 must be a finite float64 number, not "-inf"', 1, 5],
    ['1 1:1e400\n', 'the value of index 1 must be a finite float64 number, not "1e400"', 1, 5],
    ['1 1:0x10\n', 'the value of index 1 must be a finite float64 number, not "0x10"', 1, 5],
    ['1 1:1:2\n', 'the value of index 1 must be a finite float64 number, not "1:2"', 1, 5],
    [
      '1 1:1e39\n',
      'the value of index 1 must be a finite float32 number, not "1e39"',
      1,
      5,
      { precision: 'float32' },
    ],
    [`1 1:${'1'.repeat(2 ** 19)}`, 'more than 1024 bytes without a blank', 1, 3],
    [`1 1:${'1'.repeat(1025)} 2:1\n`, 'more than 1024 bytes without a blank', 1, 3],
  ];
  for (const [lines, problem, line, column, options] of cases) {
    const where = column === undefined ? `line ${line}` : `line ${line}, column ${column}`;
    const expected = { code: 'ERR_FORMAT', message: `bytes, ${where}: ${problem}`, line };
    t.same(
      await failure(reader, text(lines), options),
      column === undefined ? expected : { ...expected, column },
      JSON.stringify(lines.slice(0, 30)),
    );
  }
});

t.test('wrong options are refused', async (t) => {
  const wrong: [unknown, string][] = [
    [{ features: 0 }, 'options.features'],
    [{ features: 1.5 }, 'options.features'],
    [{ precision: 'float16' }, 'options.precision'],
    [{ indexBase: 2 }, 'options.indexBase'],
    [{ qid: true }, 'options.qid'],
    [{ feature: 3 }, 'options.feature'],
    [null, 'options'],
  ];
  for (const [options, argument] of wrong) {
    const found = await failure(reader, text('1 1:1\n'), options as LibsvmOptions);
    t.match(found, { code: 'ERR_INVALID_ARGUMENT', argument });
  }
});
