/**
 * Documents as files: JSON when the path ends in `.json`, otherwise safetensors, with the header as
 * JSON text in its metadata.
 */
import { readFile } from 'node:fs/promises';
import { FormatError } from '../io/format-error';
import { fileError } from '../io/paths';
import { readSafetensors } from '../io/safetensors';
import { writeSafetensors } from '../io/safetensors-write';
import { writeParts } from '../io/write';
import { toText } from '../validate';
import { type DocumentContents, decode, encode, FORMAT, type Tensor } from './document';
import { readJson, writeJson } from './document-json';

/** Entry of the safetensors metadata that holds the header. */
const HEADER_KEY = 'secondorder';

/** Writes a document. */
export async function saveDocument(path: unknown, contents: DocumentContents): Promise<void> {
  const target = toText(path, 'path');
  if (isJsonPath(target)) {
    await writeParts(target, [Buffer.from(JSON.stringify(writeJson(contents)))]);
    return;
  }
  const { header, tensors } = encode(contents);
  const metadata = { format: FORMAT, [HEADER_KEY]: JSON.stringify(header) };
  await writeSafetensors(target, Object.fromEntries(tensors), metadata);
}

/** Reads a document that {@link saveDocument} wrote. */
export async function loadDocument(path: unknown): Promise<DocumentContents> {
  const source = toText(path, 'path');
  if (isJsonPath(source)) return readJson(await readText(source), source);
  const file = await readSafetensors(source);
  const text = file.metadata[HEADER_KEY];
  if (text === undefined) {
    throw new FormatError(source, `no network of secondorder: no "${HEADER_KEY}" in its metadata`);
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, { data, shape }] of Object.entries(file.tensors)) {
    if (!isKnownArray(data)) {
      throw new FormatError(source, `tensor ${name} is neither F32, F64 nor I32`);
    }
    tensors.set(name, { data, shape });
  }
  return decode(parseHeader(text, source), tensors, source);
}

function isJsonPath(path: string): boolean {
  return path.toLowerCase().endsWith('.json');
}

function isKnownArray(data: unknown): data is Tensor['data'] {
  return data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw fileError(cause, 'read', path, 'path');
  }
}

function parseHeader(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(source, `"${HEADER_KEY}" in its metadata is not JSON`, {}, { cause });
  }
}
