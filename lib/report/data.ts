/**
 * What a report page shows, for any solver: facts, one history with charts as views of it, a
 * confusion matrix, pictures. A solver's own module (for example `convex-relu.ts`) fills it.
 */

/** How a number is written: `ratio` as a power of ten when small, `percent` from a fraction, `seconds` and `bytes` with a unit that fits. */
export type NumberFormat = 'number' | 'integer' | 'ratio' | 'percent' | 'seconds' | 'bytes';

/** One line of a table of facts, or one tile at the top of the page. */
export interface Fact {
  label: string;
  /** A number is written in `format`; null means that there is none. */
  value: string | number | boolean | null;
  /** Default `number`. */
  format?: NumberFormat;
  /** One sentence of explanation. */
  note?: string;
}

/** Facts under a title. */
export interface FactTable {
  title: string;
  rows: Fact[];
}

/** One quantity over the run, an entry for each recorded step; null where it was not measured. */
export interface HistoryColumn {
  /** Unique in the history; charts name columns by it. */
  key: string;
  label: string;
  /** Default `number`. */
  format?: NumberFormat;
  values: (number | null)[];
}

/** A chart of history columns over each of the report's `runAxes`. */
export interface Chart {
  title: string;
  caption?: string;
  /** Label of the vertical axis, with its unit in brackets. */
  axis: string;
  /** Default `number`: how the axis and the values under the cursor are written. */
  format?: NumberFormat;
  /** Vertical scale. On a `log` scale values of zero or less are left out. Default `linear`. */
  scale?: 'linear' | 'log';
  /** Keys of the columns drawn. */
  columns: string[];
  /** Keys of an upper and a lower column, the space between which is shaded. */
  band?: [upper: string, lower: string];
  /** Horizontal line, for example the tolerance asked for. */
  reference?: { label: string; value: number };
}

/** A horizontal axis: a history column that never falls. */
export interface RunAxis {
  /** Key of the column. */
  column: string;
  /** Word on the switch, for example `iteration`. */
  name: string;
  /** Label with its unit in brackets. */
  axis: string;
}

/** `counts[i][j]` samples of class i were read as class j. */
export interface ConfusionMatrix {
  title: string;
  classes: string[];
  counts: number[][];
}

/** Points of true and predicted values, for a regression. */
export interface Scatter {
  title: string;
  caption?: string;
  xAxis: string;
  yAxis: string;
  /** One entry for each point. */
  x: number[];
  /** As many. */
  y: number[];
}

/** One picture, `height * width` values, row by row. */
export interface Picture {
  values: ArrayLike<number>;
  caption: string;
}

/**
 * Pictures of one size. `diverging` colours are symmetric around 0, scaled to each picture's
 * largest magnitude; `gray` runs from the smallest to the largest value of all of them.
 */
export interface Gallery {
  title: string;
  caption?: string;
  height: number;
  width: number;
  colors: 'diverging' | 'gray';
  pictures: Picture[];
}

/** All that a page shows. */
export interface ReportData {
  title: string;
  /** What was computed, from what, in one sentence. */
  subtitle?: string;
  /** The state the run ended in; `good` chooses the colour of its badge, never the only sign of it. */
  status: { text: string; good: boolean };
  /** One or two sentences that say what came out. */
  summary: string;
  /** The few facts that stand out, as tiles at the top. */
  highlights: Fact[];
  /** All facts, at the end. */
  tables: FactTable[];
  /** Columns of one length. */
  history: HistoryColumn[];
  /** What charts can be drawn over; the reader chooses. */
  runAxes: RunAxis[];
  /** Views of the history. */
  charts: Chart[];
  /** For a classifier. */
  confusion?: ConfusionMatrix;
  /** For a regressor. */
  scatter?: Scatter;
  /** Pictures. */
  galleries: Gallery[];
  /** What made the page, for its last line; for example `secondorder 0.1.0`. */
  generator: string;
}
