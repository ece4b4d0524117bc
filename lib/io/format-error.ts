import { type ErrorDetails, SecondOrderError } from '../errors';

/** Where in a source something is wrong. */
export interface FormatPosition {
  /** Line, from 1, of a text file. */
  line?: number;
  /** Character within the line, from 1. */
  column?: number;
  /** Byte, from 0, of a binary file (of its contents, when the file is compressed). */
  byteOffset?: number;
}

/** Malformed data: `code` is `ERR_FORMAT`, and the position is in the message and in properties. */
export class FormatError extends SecondOrderError {
  /** Line, from 1. */
  declare readonly line?: number;
  /** Character within the line, from 1. */
  declare readonly column?: number;
  /** Byte of the decompressed contents, from 0. */
  declare readonly byteOffset?: number;

  /** The message reads "`source`, `position`: `problem`". */
  constructor(
    source: string,
    problem: string,
    position: FormatPosition = {},
    details: ErrorDetails = {},
  ) {
    super('ERR_FORMAT', `${source}${inWords(position)}: ${problem}`, details);
    if (position.line !== undefined) this.line = position.line;
    if (position.column !== undefined) this.column = position.column;
    if (position.byteOffset !== undefined) this.byteOffset = position.byteOffset;
  }
}

function inWords({ line, column, byteOffset }: FormatPosition): string {
  const parts = [
    line === undefined ? '' : `, line ${line}`,
    column === undefined ? '' : `, column ${column}`,
    byteOffset === undefined ? '' : `, byte ${byteOffset}`,
  ];
  return parts.join('');
}

/** Text from a file, made short and printable for a message. */
export function excerpt(text: string): string {
  const limit = 40;
  return JSON.stringify(text.length > limit ? `${text.slice(0, limit)}…` : text);
}
