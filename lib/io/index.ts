/**
 * Data files: LIBSVM, CSV, NumPy, IDX (MNIST) and safetensors, from paths or bytes, gzip or plain.
 */
export { type CsvOptions, readCsv, readCsvSync } from './csv';
export type { CsvData, CsvMissing } from './csv-table';
export { type DeskewOptions, deskew } from './deskew';
export type { DType, NumericArray, NumericTensor } from './elements';
export { FormatError, type FormatPosition } from './format-error';
export { readIdx, readIdxSync } from './idx';
export { type LibsvmOptions, readLibsvm, readLibsvmSync } from './libsvm';
export type { LibsvmData } from './libsvm-parser';
export { readNpy, readNpySync } from './npy';
export { encodeNpy, type NpyContent, writeNpy, writeNpySync } from './npy-write';
export {
  readSafetensors,
  readSafetensorsSync,
  type Safetensors,
  type Tensor,
} from './safetensors';
export type { TensorData, TensorType } from './safetensors-types';
export {
  encodeSafetensors,
  type TensorContent,
  writeSafetensors,
  writeSafetensorsSync,
} from './safetensors-write';
export type { DataSource, ReadOptions } from './source';
export { type ToMatrixOptions, toMatrix } from './to-matrix';
export type { DataTarget } from './write';
