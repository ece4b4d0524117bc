import { useEffect, useState } from 'preact/hooks';

/** Colours of what is drawn on canvases; the rest of the page takes its colours from page.css. */
export interface Theme {
  text: string;
  grid: string;
  neutral: string;
  band: string;
  /** Okabe and Ito's colours, told apart by colour-blind readers; lines differ by dashes too. */
  series: string[];
  /** Red, green, blue of the poles and the middle of the diverging map. */
  diverging: { negative: Rgb; zero: Rgb; positive: Rgb };
}

export type Rgb = [red: number, green: number, blue: number];

export const dashes: number[][] = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

const light: Theme = {
  text: '#454b54',
  grid: '#e4e7eb',
  neutral: '#7a828d',
  band: 'rgba(0, 114, 178, 0.12)',
  series: ['#0072b2', '#d55e00', '#008a64', '#b2558c'],
  diverging: { negative: [33, 102, 172], zero: [247, 247, 247], positive: [178, 24, 43] },
};

const dark: Theme = {
  text: '#b6bec9',
  grid: '#2c323a',
  neutral: '#8b949f',
  band: 'rgba(86, 180, 233, 0.16)',
  series: ['#56b4e9', '#e69f00', '#2bc59a', '#e6a0c4'],
  diverging: { negative: [94, 176, 240], zero: [30, 33, 38], positive: [245, 125, 90] },
};

/** The theme that the reader's system asks for; follows it when it changes. */
export function useTheme(): Theme {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const follow = () => setDark(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  return isDark ? dark : light;
}
