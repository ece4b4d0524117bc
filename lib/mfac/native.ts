// The native functions of the M-FAC family: windows and blocks are handles that the addon owns.
import type { Floats, NativeJobOf, NativeSyncOf } from '../native-interface';

/** Type of a stored entry of a window. */
export type NativeStorage = 'float32' | 'bfloat16' | 'float16' | 'int8';
/** Where and how blocks keep their gradients. */
export type NativeBlockStorage = 'auto' | 'float32' | 'bfloat16' | 'disk';

declare const windowHandle: unique symbol;
declare const blocksHandle: unique symbol;
/** A window of gradients in native memory; freed with the object, or by `fisherWindowDispose`. */
export interface NativeWindow {
  readonly [windowHandle]: true;
}
/** Blocks of the Fisher matrix in native memory. */
export interface NativeBlocks {
  readonly [blocksHandle]: true;
}

export interface FisherWindowSpec {
  dimension: number;
  capacity: number;
  damping: number;
  storage: NativeStorage;
  normalize: 'count' | 'capacity';
  /** `dimension` entries; 0 is frozen. */
  mask?: Uint8Array;
  /** Names of devices. */
  device: string[];
}

export interface FisherWindowFacts {
  dimension: number;
  capacity: number;
  /** Entries that the mask leaves. */
  active: number;
  /** Gradients held. */
  size: number;
  damping: number;
  storage: NativeStorage;
  normalize: 'count' | 'capacity';
  bytes: number;
  /** Slices were pushed and not yet committed. */
  pending: boolean;
  device: string;
  deviceReason: string;
}

/** `dimension` entries where a solution was asked for. */
export interface NativeSolved {
  solution: Float32Array | null;
}

export interface FisherBlocksSpec {
  dimension: number;
  blockSize?: number;
  damping: number;
  storage: NativeBlockStorage;
  /** Gradients to come, for planning. */
  expected?: number;
  /** Of temporary files; TMPDIR when left out. */
  directory?: string;
}

export interface FisherBlocksFacts {
  dimension: number;
  blockSize: number;
  gradients: number;
  damping: number;
  bytes: number;
  diskBytes: number;
  form: 'direct' | 'woodbury';
  paged: boolean;
  factored: boolean;
}

type Window = { window: NativeWindow };
type Blocks = { blocks: NativeBlocks };
/** Where a call on this thread is to put the solution; the others make an array. */
type Target = { out?: Float32Array | undefined };
type PushSpec = Window & { gradient: Floats; solve: boolean } & Target;
type WindowSolveSpec = Window & { x: Floats; count: number } & Target;
type WindowFile = Window & { path: string };
type BlocksSolveSpec = Blocks & { x: Floats; count: number };
type RemovalSpec = Blocks & { weights: Float32Array; remove: Uint32Array; joint: boolean };
type Removal = { weights: Float32Array; lossIncrease: number };
/** Which of the weights with these scores are to go: the lowest ones. */
export interface MaskSpec {
  scores: Float64Array;
  /** Of all weights, or of those of each layer; the most that may go where there is a pattern. */
  sparsity: number;
  layers?: Int32Array;
  /** Of every m weights one after the other, n are kept. */
  pattern?: [n: number, m: number];
  /** 0 where a weight stays, and is none of those that `sparsity` is a share of. */
  prunable?: Uint8Array;
  /** 1 where a weight has gone already: it goes first, and counts. */
  frozen?: Uint8Array;
}
type Nothing = Record<string, never>;

/** What the addon offers for this family; each job also in its synchronous form. */
export interface MFacNative {
  fisherWindowCreate(spec: FisherWindowSpec): NativeWindow;
  fisherWindowInfo(window: NativeWindow): FisherWindowFacts;
  fisherWindowDispose(window: NativeWindow): void;
  fisherWindowPush: NativeJobOf<PushSpec, NativeSolved>;
  fisherWindowPushSync: NativeSyncOf<PushSpec, NativeSolved>;
  /** `solution`: count × dimension. */
  fisherWindowSolve: NativeJobOf<WindowSolveSpec, { solution: Float32Array }>;
  fisherWindowSolveSync: NativeSyncOf<WindowSolveSpec, { solution: Float32Array }>;
  fisherWindowPushSlice(spec: Window & { offset: number; part: Floats }): void;
  /** Forgets slices that were not committed. */
  fisherWindowDiscardSlices(window: NativeWindow): void;
  fisherWindowCommit: NativeJobOf<Window & { solve: boolean }, NativeSolved>;
  fisherWindowCommitSync: NativeSyncOf<Window & { solve: boolean } & Target, NativeSolved>;
  fisherWindowSetDamping: NativeJobOf<Window & { damping: number }, Nothing>;
  fisherWindowSetDampingSync: NativeSyncOf<Window & { damping: number }, Nothing>;
  fisherWindowClear(window: NativeWindow): void;
  fisherWindowSave: NativeJobOf<WindowFile, Nothing>;
  fisherWindowSaveSync: NativeSyncOf<WindowFile, Nothing>;
  fisherWindowLoad: NativeJobOf<{ path: string; device: string[] }, Window>;
  fisherWindowLoadSync: NativeSyncOf<{ path: string; device: string[] }, Window>;

  fisherBlocksCreate(spec: FisherBlocksSpec): NativeBlocks;
  /** Row-major, `rows` × dimension. Gives whether `fisherBlocksFold` is due, which frees memory. */
  fisherBlocksAdd(spec: Blocks & { gradients: Float32Array; rows: number }): boolean;
  fisherBlocksFold: NativeJobOf<Blocks, Nothing>;
  fisherBlocksFoldSync: NativeSyncOf<Blocks, Nothing>;
  /** No more gradients after it. */
  fisherBlocksFactor: NativeJobOf<Blocks, Nothing>;
  fisherBlocksFactorSync: NativeSyncOf<Blocks, Nothing>;
  fisherBlocksInfo(blocks: NativeBlocks): FisherBlocksFacts;
  fisherBlocksDiagonal: NativeJobOf<Blocks, { diagonal: Float64Array }>;
  fisherBlocksDiagonalSync: NativeSyncOf<Blocks, { diagonal: Float64Array }>;
  fisherBlocksElement: NativeJobOf<Blocks & { i: number; j: number }, { value: number }>;
  fisherBlocksElementSync: NativeSyncOf<Blocks & { i: number; j: number }, { value: number }>;
  fisherBlocksSolve: NativeJobOf<BlocksSolveSpec, { solution: Floats }>;
  fisherBlocksSolveSync: NativeSyncOf<BlocksSolveSpec, { solution: Floats }>;
  fisherBlocksRemovalUpdate: NativeJobOf<RemovalSpec, Removal>;
  fisherBlocksRemovalUpdateSync: NativeSyncOf<RemovalSpec, Removal>;
  fisherBlocksDispose(blocks: NativeBlocks): void;
  pruningMask: NativeJobOf<MaskSpec, { remove: Uint32Array }>;
  pruningMaskSync: NativeSyncOf<MaskSpec, { remove: Uint32Array }>;

  /** What a plain read of memory reaches here; the peak that passes over a window are measured by. */
  measureRead: NativeJobOf<{ bytes: number; seconds: number }, { gigabytesPerSecond: number }>;
  measureReadSync: NativeSyncOf<{ bytes: number; seconds: number }, { gigabytesPerSecond: number }>;
}
