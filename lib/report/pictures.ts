import { mismatch } from '../validate';
import type { Gallery } from './data';

/** A gallery as the page reads it: one byte a pixel, base64. */
export interface PackedGallery extends Omit<Gallery, 'pictures'> {
  /** For `gray`: the values drawn black and white. */
  range: [number, number];
  /** `peak` is the largest magnitude; `diverging` bytes are value / peak * 127 as Int8. */
  pictures: { caption: string; peak: number; pixels: string }[];
}

/**
 * Packs pictures to 8 bits a pixel: what a screen can show, at an eighth of the size of float64.
 *
 * @throws SecondOrderError ERR_DIMENSION_MISMATCH when a picture has not height * width values
 */
export function packGallery(gallery: Gallery): PackedGallery {
  const { height, width, pictures } = gallery;
  for (const [index, { values }] of pictures.entries()) {
    if (values.length !== height * width) {
      const picture = `picture ${index} of ${JSON.stringify(gallery.title)}`;
      throw mismatch(
        'data.galleries',
        `${picture} has ${values.length} values, not ${height} x ${width}`,
      );
    }
  }
  const range = grayRange(gallery);
  return {
    ...gallery,
    range,
    pictures: pictures.map(({ caption, values }) => {
      const peak = magnitude(values);
      const bytes = gallery.colors === 'diverging' ? signed(values, peak) : gray(values, range);
      return { caption, peak, pixels: Buffer.from(bytes.buffer).toString('base64') };
    }),
  };
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}

function magnitude(values: ArrayLike<number>): number {
  let peak = 0;
  for (let i = 0; i < values.length; i++) peak = Math.max(peak, Math.abs(finite(values[i])));
  return peak;
}

function grayRange(gallery: Gallery): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { values } of gallery.pictures) {
    for (let i = 0; i < values.length; i++) {
      low = Math.min(low, finite(values[i]));
      high = Math.max(high, finite(values[i]));
    }
  }
  return low <= high ? [low, high] : [0, 0];
}

function signed(values: ArrayLike<number>, peak: number): Int8Array {
  const scale = peak > 0 ? 127 / peak : 0;
  return Int8Array.from(values, (value) => Math.round(finite(value) * scale));
}

function gray(values: ArrayLike<number>, [low, high]: [number, number]): Uint8Array {
  const scale = high > low ? 255 / (high - low) : 0;
  return Uint8Array.from(values, (value) => Math.round((finite(value) - low) * scale));
}
