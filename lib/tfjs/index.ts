/**
 * M-FAC as an optimizer of TensorFlow.js, which has to be installed beside this package.
 *
 * @module secondorder/tfjs
 */
export { MFac, type MFacOptions } from './mfac';
