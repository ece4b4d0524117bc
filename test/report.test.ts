/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { type ReportData, renderReport, writeReport } from 'secondorder/report';
import t from 'tap';
import { hostile, sample, steps } from './fixtures/report';

const MAX_BYTES = 1.5e6;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function findBrowser(): string | undefined {
  const named = process.env.CHROMIUM_PATH;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...(named ? [named] : []), ...candidates].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

interface Visit {
  page: Page;
  complaints: string[];
  requests: string[];
}

/** Opens a report and notes all that a page should never do. */
async function visit(context: BrowserContext, path: string): Promise<Visit> {
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    // The pixels that this test reads back make Chromium give advice.
    if (!message.text().startsWith('Canvas2D: Multiple readback')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector('footer');
  return { page, complaints, requests };
}

/** For each canvas: how many pixels are painted, and how many colours there are among them. */
function painted(page: Page, selector: string) {
  return page.$$eval(`${selector} canvas`, (canvases) =>
    canvases.map((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const context = (canvas as HTMLCanvasElement).getContext('2d');
      const pixels = new Uint32Array(
        context?.getImageData(0, 0, width, height).data.buffer ?? new ArrayBuffer(0),
      );
      return {
        painted: pixels.filter((pixel) => pixel !== 0).length,
        colors: new Set(pixels).size,
      };
    }),
  );
}

function cells(page: Page, selector: string): Promise<string[]> {
  return page.$$eval(selector, (found) => found.map((cell) => cell.textContent ?? ''));
}

const executablePath = findBrowser();
const skip = executablePath === undefined && 'no Chromium here: install it or set CHROMIUM_PATH';

t.test('a report in a browser', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'report-'));
  const path = join(folder, 'report.html');
  await writeReport(path, sample());
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    ...(executablePath !== undefined && { executablePath }),
    args: FLAGS,
    viewport: { width: 1200, height: 900 },
  });
  t.teardown(async () => {
    await context.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { page, complaints, requests } = await visit(context, path);

  await t.test('draws every chart and picture', async (t) => {
    const charts = await painted(page, '.chart');
    t.equal(charts.length, 3);
    for (const { painted, colors } of charts) {
      t.ok(painted > 2000, `a chart paints ${painted} pixels`);
      t.ok(colors > 10, `in ${colors} colours`);
    }
    const pictures = await painted(page, '.picture');
    t.equal(pictures.length, 8);
    for (const picture of pictures) t.match(picture, { painted: 12, colors: 12 });
  });

  await t.test('colours pictures symmetrically around zero', async (t) => {
    const [first, sixth] = await page.$$eval('.picture canvas', (canvases) =>
      canvases.slice(0, 2).map((canvas) => {
        const context = (canvas as HTMLCanvasElement).getContext('2d');
        return [...(context?.getImageData(0, 0, 4, 3).data ?? [])];
      }),
    );
    t.same(first, sixth, 'each picture has its own scale');
    const zero = first?.slice(6 * 4, 6 * 4 + 3) ?? [];
    t.ok(Math.max(...zero) - Math.min(...zero) < 12, `0 has no hue: ${zero}`);
    const [red = 0, , blue = 0] = first ?? [];
    t.ok(blue > red + 80, 'the most negative is blue');
  });

  await t.test('shows the right numbers', async (t) => {
    t.same(await cells(page, '.facts td'), [
      'converged',
      '8.7 × 10⁻⁴',
      '1,240',
      '250 ms',
      '3 MiB',
      '95.70\u00a0%',
      'yes',
      '–',
    ]);
    t.same(await cells(page, '.confusion tbody tr:nth-child(2) td'), [
      '1',
      '1,230',
      '3',
      '99.68\u00a0%',
    ]);
    t.same(await cells(page, '.confusion thead th'), ['cat', 'dog', '<b>', 'right']);
    t.same(await cells(page, '.highlights dd'), ['0.0712346']);
    t.equal((await cells(page, '.history tbody tr')).length, steps.length);
    t.same(await cells(page, 'h1'), [`Digits ${hostile}`], 'text stays text');
    t.notOk(await page.evaluate(() => 'broken' in window), 'text is never run');
    const legend = await cells(page, '.chart:first-child .u-legend .u-value');
    t.same(legend, ['240', '3.35 × 10⁻⁴', '10⁻³'], 'the legend reads the last step');
  });

  await t.test('switches to time', async (t) => {
    const before = await page.locator('.chart canvas').first().screenshot();
    await page.getByText('time', { exact: true }).first().click();
    await page.waitForFunction(
      () => document.querySelector('.chart .u-value')?.textContent === '2.4 s',
    );
    const after = await page.locator('.chart canvas').first().screenshot();
    t.notOk(before.equals(after), 'the chart was drawn anew');
  });

  await t.test('fits a phone, follows a dark theme', async (t) => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.waitForFunction(
      () => (document.querySelector('.chart canvas')?.getBoundingClientRect().width ?? 999) < 380,
    );
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    t.equal(width, 390, 'nothing sticks out');
    const color = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await color();
    await page.emulateMedia({ colorScheme: 'dark' });
    t.not(await color(), light);
    const charts = await painted(page, '.chart');
    t.ok(charts.every(({ painted }) => painted > 1000));
  });

  t.same(complaints, [], 'nothing on the console');
  t.same(requests, [pathToFileURL(path).href], 'nothing is loaded but the page');
});

t.test('a page is one file of moderate size', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'report.html');
  const data = sample();
  const long = Array.from({ length: 20000 }, (_, i) => i + 1);
  data.history = [
    { key: 'iteration', label: 'iteration', values: long },
    { key: 'seconds', label: 'time', values: long.map((k) => k / 77) },
    { key: 'gap', label: 'gap', values: long.map((k) => 1 / k) },
    { key: 'objective', label: 'objective', values: long.map((k) => 1 + 1 / k) },
    { key: 'bound', label: 'bound', values: long.map((k) => (k === 777 ? 0.5 : null)) },
  ];
  await writeReport(path, data);
  t.ok((await stat(path)).size < MAX_BYTES);
  const html = await readFile(path, 'utf8');
  t.equal(html, renderReport(data));
  t.notMatch(html, /<(script|link|img)[^>]+(src|href)="?(https?:)?\/\//);
  const json = /id="report-data">(.*)<\/script>/.exec(html)?.[1] ?? '';
  const { history } = JSON.parse(json) as ReportData;
  const values = (key: string) => history.find((column) => column.key === key)?.values ?? [];
  t.equal(values('iteration')[0], 1);
  t.equal(values('iteration').at(-1), 20000);
  t.ok(values('iteration').length < 2000, 'a long history is thinned');
  t.ok(values('bound').includes(0.5), 'but a rare measurement is kept');
});
