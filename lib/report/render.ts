import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DataTarget, writeParts } from '../io/write';
import { invalid } from '../validate';
import { checkData } from './check-data';
import type { ReportData } from './data';
import { thinHistory } from './history';
import { packGallery } from './pictures';

/**
 * The report as one HTML page that holds all it needs: styles, script, charts and data. It loads
 * nothing from anywhere (its content security policy forbids it), so it can be mailed or archived.
 *
 * @throws SecondOrderError ERR_INVALID_ARGUMENT (a part is missing, a chart names no column, or
 * there is what JSON cannot hold),
 * ERR_DIMENSION_MISMATCH (columns that differ in length, a picture of another size than its gallery)
 */
export function renderReport(data: ReportData): string {
  checkData(data);
  const payload = {
    ...data,
    history: thinHistory(data.history),
    galleries: data.galleries.map(packGallery),
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeText(data.title)}</title>
<link rel="icon" href="data:,">
<style>${asset('page.css')}</style>
</head>
<body>
<div id="page"><noscript>This page draws its charts and tables with JavaScript; the numbers are in the JSON at its end.</noscript></div>
<script type="application/json" id="report-data">${escapeJson(payload)}</script>
<script>${asset('page.js').replaceAll('</script', '<\\/script')}</script>
</body>
</html>
`;
}

/**
 * Writes {@link renderReport}'s page to a file.
 *
 * @throws SecondOrderError as {@link renderReport}; ERR_INVALID_ARGUMENT (a file that cannot be written)
 */
export async function writeReport(target: DataTarget, data: ReportData): Promise<void> {
  await writeParts(target, [Buffer.from(renderReport(data))]);
}

/** The page's script and styles, which the build bundles beside this module. */
function asset(name: string): string {
  return readFileSync(join(__dirname, name), 'utf8');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** JSON that cannot end the script element it stands in. JSON has no NaN or infinity: they become null. */
function escapeJson(data: object): string {
  try {
    return JSON.stringify(data).replaceAll('<', '\\u003c');
  } catch (cause) {
    // A bigint, a cycle, or a toJSON that throws.
    throw invalid('data', 'values that JSON can hold', String(cause));
  }
}
