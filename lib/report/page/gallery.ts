import { h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { PackedGallery } from '../pictures';
import { formatNumber } from './format';
import type { Rgb, Theme } from './theme';

export function GalleryView({ gallery, theme }: { gallery: PackedGallery; theme: Theme }) {
  return h(
    'section',
    null,
    h('h2', null, gallery.title),
    gallery.caption && h('p', null, gallery.caption),
    gallery.colors === 'diverging' && h(Key, { theme }),
    h(
      'div',
      { class: 'gallery' },
      gallery.pictures.map((picture) => h(PictureView, { gallery, picture, theme })),
    ),
  );
}

function Key({ theme }: { theme: Theme }) {
  const { negative, zero, positive } = theme.diverging;
  const stops = [negative, zero, positive].map(css).join(', ');
  return h(
    'p',
    { class: 'key' },
    'most negative ',
    h('span', { class: 'ramp', style: `background: linear-gradient(to right, ${stops})` }),
    ' most positive; the middle is 0, each picture on its own scale',
  );
}

interface PictureProps {
  gallery: PackedGallery;
  picture: PackedGallery['pictures'][number];
  theme: Theme;
}

function PictureView({ gallery, picture, theme }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) paint(canvas.current, gallery, picture.pixels, theme);
  }, [theme]);
  const { width, height } = gallery;
  const scale = gallery.colors === 'diverging' ? `largest ${formatNumber(picture.peak)}` : '';
  return h(
    'figure',
    { class: 'picture', title: [picture.caption, scale].filter(Boolean).join(', ') },
    h('canvas', { ref: canvas, width, height, role: 'img', 'aria-label': picture.caption }),
    h('figcaption', null, picture.caption),
  );
}

function paint(canvas: HTMLCanvasElement, gallery: PackedGallery, pixels: string, theme: Theme) {
  const context = canvas.getContext('2d');
  if (!context) return;
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  const values = gallery.colors === 'diverging' ? new Int8Array(bytes.buffer) : bytes;
  const color = gallery.colors === 'diverging' ? diverging(theme) : gray;
  const image = context.createImageData(gallery.width, gallery.height);
  values.forEach((value, index) => {
    image.data.set([...color(value), 255], 4 * index);
  });
  context.putImageData(image, 0, 0);
}

function gray(value: number): Rgb {
  return [value, value, value];
}

function diverging({ diverging: { negative, zero, positive } }: Theme): (value: number) => Rgb {
  return (value) => {
    const pole = value < 0 ? negative : positive;
    const part = Math.abs(value) / 127;
    return [0, 1, 2].map((i) => mix(zero[i] ?? 0, pole[i] ?? 0, part)) as Rgb;
  };
}

function mix(from: number, to: number, part: number): number {
  return Math.round(from + (to - from) * part);
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red}, ${green}, ${blue})`;
}
