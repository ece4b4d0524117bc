// The CSV reader: headers, targets, gaps, quoting, and each thing it refuses, with the line.
import { type CsvOptions, readCsv, readCsvSync } from 'secondorder/io';
import t from 'tap';
import { failure, read } from './fixtures/io';

const reader = { async: readCsv, sync: readCsvSync };
const text = (lines: string) => Buffer.from(lines);

t.test('numbers, names and the last column as target', async (t) => {
  t.same(await read(reader, text('a,b,kind\n1,-2.5e1,x\n.5,+4,y\n')), {
    x: { data: Float64Array.of(1, -25, 0.5, 4), rows: 2, cols: 2 },
    y: ['x', 'y'],
    columns: ['a', 'b'],
    target: 'kind',
    missing: { fields: Int32Array.of(0, 0), rows: 0, dropped: 0 },
  });
});

t.test('targets are numbers only when all are', async (t) => {
  const numbers = await read(reader, text('a,b\n1,01\n2,-2.50\n'));
  t.same(numbers.y, Float64Array.of(1, -2.5));
  const strings = await read(reader, text('a,b\n1,01\n2,-2.50\n3,no\n'));
  t.same(strings.y, ['01', '-2.50', 'no'], 'as they are written');
});

t.test('which column is the target, and which are left out', async (t) => {
  const file = text('id,a,b\n7,1,2\n8,3,4\n');
  const cases: [CsvOptions, string | undefined, string[], number[] | undefined][] = [
    [{ target: 'a' }, 'a', ['id', 'b'], [1, 3]],
    [{ target: 0 }, 'id', ['a', 'b'], [7, 8]],
    [{ target: -2 }, 'a', ['id', 'b'], [1, 3]],
    [{ target: false }, undefined, ['id', 'a', 'b'], undefined],
    [{ ignore: ['id'] }, 'b', ['a'], [2, 4]],
    [{ ignore: [0, -2], target: 2 }, 'b', [], undefined],
  ];
  for (const [options, target, columns, y] of cases.slice(0, -1)) {
    const result = await read(reader, file, options);
    t.equal(result.target, target);
    t.same(result.columns, columns);
    t.same(result.y, y && Float64Array.from(y));
    t.equal(result.x.cols, columns.length);
  }
  t.match(await failure(reader, file, cases.at(-1)?.[0]), { code: 'ERR_FORMAT', line: 1 });
});

t.test('a header is told from data', async (t) => {
  const cases: [string, boolean, string][] = [
    ['a,b\n1,2\n', true, 'names'],
    ['1,2\n3,4\n', false, 'numbers'],
    ['5.1,3.5,setosa\n4.9,3,setosa\n', false, 'numbers and a label'],
    ['label,0,1\n5,0,0\n', true, 'names of pixels: a text above a number'],
    ['?,2,x\n1,2,y\n', false, 'a gap in the first row'],
    ['a,b\n?,x\n3,y\n', true, 'a gap below'],
  ];
  for (const [lines, header, name] of cases) {
    const auto = await read(reader, text(lines), { missing: 'mean' });
    t.same(auto, await read(reader, text(lines), { missing: 'mean', header }), name);
    t.equal(auto.columns[0] === 'column0', !header, name);
  }
  const forced = await read(reader, text('2019,2020\n1,2\n'), { header: true });
  t.same(forced.columns, ['2019']);
});

t.test('missing fields', async (t) => {
  const file = text('a,b,y\n1,,p\n?,4,q\n3,8,r\nNA,NaN,s\n');
  t.same(await failure(reader, file), {
    code: 'ERR_FORMAT',
    line: 2,
    message:
      "bytes, line 2: column \"b\" is missing; options.missing 'drop' or 'mean' deals with such rows",
  });
  const dropped = await read(reader, file, { missing: 'drop' });
  t.same(dropped.x, { data: Float64Array.of(3, 8), rows: 1, cols: 2 });
  t.same(dropped.y, ['r']);
  t.same(dropped.missing, { fields: Int32Array.of(2, 2), rows: 3, dropped: 3 });
  const filled = await read(reader, file, { missing: 'mean' });
  t.same(filled.x.data, Float64Array.of(1, 6, 2, 4, 3, 8, 2, 6));
  t.same(filled.missing.fill, Float64Array.of(2, 6));
  t.equal(filled.missing.dropped, 0);
  const given = await read(reader, file, { missing: [-1, -2], precision: 'float32' });
  t.same(given.x.data, Float32Array.of(1, -2, -1, 4, 3, 8, -1, -2));
  const coded = await read(reader, text('a,y\n-99,1\n3,2\n'), {
    missing: 'drop',
    missingValues: ['-99'],
  });
  t.same(coded.x.data, Float64Array.of(3));
});

t.test('a missing target is dropped or refused, never filled', async (t) => {
  const file = text('a,y\n1,\n2,3\n');
  t.same((await read(reader, file, { missing: 'drop' })).y, Float64Array.of(3));
  t.match(await failure(reader, file, { missing: 'mean' }), {
    line: 2,
    message: 'bytes, line 2: column "y" is missing; options.missing \'drop\' leaves such rows out',
  });
});

t.test('means of huge numbers stay finite', async (t) => {
  const file = text(`a,y\n${'1.7e308,1\n'.repeat(40)},2\n`);
  const { missing } = await read(reader, file, { missing: 'mean' });
  t.ok(Math.abs(Number(missing.fill?.[0]) / 1.7e308 - 1) < 1e-14);
});

t.test('layout does not matter', async (t) => {
  const plain = await read(reader, text('a,b,c\n1,2,x\n3,4,y\n'));
  const variants: [string, string, CsvOptions?][] = [
    ['no newline at the end', 'a,b,c\n1,2,x\n3,4,y'],
    ['CRLF', 'a,b,c\r\n1,2,x\r\n3,4,y\r\n'],
    ['CR', 'a,b,c\r1,2,x\r3,4,y\r'],
    ['blank lines', '\na,b,c\n\n  \n1,2,x\n3,4,y\n\n'],
    ['byte order mark', '\ufeffa,b,c\n1,2,x\n3,4,y\n'],
    ['blanks', ' a , b,c\n1 ,\t2,x \n3, 4 ,y\n'],
    ['quotes', '"a","b",c\n"1",2,"x"\n 3 , "4" ,"y"\n'],
    ['semicolons', 'a;b;c\n1;2;x\n3;4;y\n', { delimiter: ';' }],
    ['tabs', 'a\tb\tc\n1\t2\tx\n3\t4\ty\n', { delimiter: '\t' }],
    ['two characters', 'a::b::c\n1::2::x\n3::4::y\n', { delimiter: '::' }],
  ];
  for (const [name, lines, options] of variants) {
    t.same(await read(reader, text(lines), options), plain, name);
  }
  const tabs = await read(reader, text('a\tb\tc\n\t2\tx\n3\t\ty\n'), {
    delimiter: '\t',
    missing: [7, 8],
  });
  t.same(tabs.x.data, Float64Array.of(7, 2, 3, 8), 'a tab that begins a line is a delimiter');
  const quoted = await read(reader, text('a,"b ""1"",\nc"\n1,"x,""y"\n2,"l\n2"\n'));
  t.equal(quoted.target, 'b "1",\nc');
  t.same(quoted.y, ['x,"y', 'l\n2']);
});

t.test('more rows than a chunk or a block holds', async (t) => {
  const rows = 30_000;
  const lines = Array.from({ length: rows }, (_, i) => `${i},${i / 8},${i % 3}`).join('\n');
  const { x, y } = await read(reader, text(`a,b,y\n${lines}`));
  t.equal(x.rows, rows);
  t.ok(x.data.every((value, k) => value === (k % 2 ? (k - 1) / 16 : k / 2)));
  t.ok(Array.from<number | string>(y ?? []).every((value, i) => value === i % 3));
});

t.test('malformed files are refused with the line', async (t) => {
  const cases: [string, string, number, CsvOptions?][] = [
    ['', 'holds no rows', 1],
    ['\n\n', 'holds no rows', 1],
    ['a,b\n', 'holds no rows', 1],
    ['a,b\n,1\n', 'holds no rows (1 were dropped)', 1, { missing: 'drop' }],
    ['a,b\n1,2\n3\n', '1 fields; the records before have 2', 3],
    ['a,b\n1,2\n\n3,4,5\n', '3 fields; the records before have 2', 4],
    ['a,b\nx,2\n', 'column "a" must hold finite float64 numbers, not "x"', 2],
    ['a,b\n1,1\ninf,2\n', 'column "a" must hold finite float64 numbers, not "inf"', 3],
    ['a,b\n0x1,2\n', 'column "a" must hold finite float64 numbers, not "0x1"', 2],
    ['a,b\n1e999,2\n', 'column "a" must hold finite float64 numbers, not "1e999"', 2],
    [
      'a,b\n1e39,2\n',
      'column "a" must hold finite float32 numbers, not "1e39"',
      2,
      { precision: 'float32' },
    ],
    ['a,b\n1,1e999\n', 'column "b" holds "1e999", beyond float64', 2],
    ['a,b\n,1\n?,2\n', 'column "a" has no number to take a mean of', 1, { missing: 'mean' }],
    [
      'a;b\n1;2\n',
      'no column is left for x; with another delimiter, set options.delimiter (first record: "a;b")',
      1,
    ],
  ];
  for (const [lines, problem, line, options] of cases) {
    t.same(
      await failure(reader, text(lines), options),
      { code: 'ERR_FORMAT', message: `bytes, line ${line}: ${problem}`, line },
      JSON.stringify(lines),
    );
  }
  const quoting: [string, RegExp, number][] = [
    ['a,b\n1,"2\n3,4\n', /Quote Not Closed/, 3],
    ['a,b\n1,"2"x\n', /Invalid Closing Quote/, 2],
    ['a,b\n1,2\n3,4"5"\n', /Invalid Opening Quote/, 3],
  ];
  for (const [lines, message, line] of quoting) {
    t.match(await failure(reader, text(lines)), { code: 'ERR_FORMAT', message, line });
  }
});

t.test('wrong options are refused', async (t) => {
  const wrong: [unknown, string][] = [
    [{ target: 'z' }, 'options.target'],
    [{ target: 2 }, 'options.target'],
    [{ target: -3 }, 'options.target'],
    [{ target: 0.5 }, 'options.target'],
    [{ target: null }, 'options.target'],
    [{ ignore: ['b'] }, 'options.ignore'],
    [{ ignore: ['z'] }, 'options.ignore[0]'],
    [{ ignore: 'a' }, 'options.ignore'],
    [{ header: 'yes' }, 'options.header'],
    [{ delimiter: '' }, 'options.delimiter'],
    [{ delimiter: '"' }, 'options.delimiter'],
    [{ delimiter: 1 }, 'options.delimiter'],
    [{ missing: 'median' }, 'options.missing'],
    [{ missing: null }, 'options.missing'],
    [{ missing: [Number.NaN] }, 'options.missing'],
    [{ missingValues: [1] }, 'options.missingValues'],
    [{ precision: 'half' }, 'options.precision'],
    [{ targets: 1 }, 'options.targets'],
  ];
  for (const [options, argument] of wrong) {
    const found = await failure(reader, text('a,b\n1,2\n'), options as CsvOptions);
    t.match(found, { code: 'ERR_INVALID_ARGUMENT', argument }, JSON.stringify(options));
  }
  const twice = await failure(reader, text('a,a,b\n1,2,3\n'), { target: 'a' });
  t.match(twice, { argument: 'options.target', message: /more than one has/ });
  const fills = await failure(reader, text('a,b\n1,2\n'), { missing: [1, 2] });
  t.match(fills, { code: 'ERR_DIMENSION_MISMATCH', argument: 'options.missing' });
});
