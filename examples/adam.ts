/** What many would do instead: the ReLU network itself, trained by Adam in TensorFlow.js. */
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { ConvexReLUClassifier, Matrix } from 'secondorder';
import { type Digits, shuffled } from './digits';

/** Settings of one training by Adam. */
export interface AdamOptions {
  /** Hidden ReLU neurons. */
  width: number;
  classes: number;
  learningRate: number;
  /** Weight of the sum of squares of both layers' weights, added to the loss. */
  weightDecay: number;
  epochs: number;
  seed: number;
}

const BATCH = 100;

/** Chooses TensorFlow.js' WebAssembly backend, its fastest without a native package. */
export async function startTensorFlow(): Promise<void> {
  setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  await tf.setBackend('wasm');
}

/**
 * Digits as a convex model sees them: pixels, centred, on its principal components. For Adam they are
 * better than pixels, and much quicker.
 */
export function toComponents(model: ConvexReLUClassifier, { x, y }: Digits): Digits {
  const { mean, components } = model.toJSON().tensors;
  const axes: [number, number] = [components!.shape[0]!, x.cols];
  const data = tf.tidy(() =>
    toTensor(x)
      .sub(tf.tensor1d(mean!.data))
      .matMul(tf.tensor2d(components!.data, axes), false, true)
      .dataSync<'float32'>(),
  );
  return { x: { data, rows: x.rows, cols: axes[0] }, y };
}

/** Trains the network; `onEpoch` is told the share that is done. */
export async function trainAdam(
  digits: Digits,
  options: AdamOptions,
  onEpoch: (done: number) => void,
): Promise<{ network: tf.Sequential; objective: number }> {
  const { width, classes, learningRate, weightDecay, epochs, seed } = options;
  const layer = { kernelRegularizer: tf.regularizers.l2({ l2: weightDecay }) };
  // TensorFlow.js takes a seed of 0 for none.
  const { heNormal, glorotUniform } = tf.initializers;
  const network = tf.sequential({
    layers: [
      tf.layers.dense({
        ...layer,
        units: width,
        activation: 'relu',
        inputShape: [digits.x.cols],
        kernelInitializer: heNormal({ seed: 2 * seed + 1 }),
      }),
      tf.layers.dense({
        ...layer,
        units: classes,
        activation: 'softmax',
        kernelInitializer: glorotUniform({ seed: 2 * seed + 2 }),
      }),
    ],
  });
  network.compile({ optimizer: tf.train.adam(learningRate), loss: 'categoricalCrossentropy' });
  const x = toTensor(digits.x);
  const y = tf.tidy(() => tf.oneHot(tf.tensor1d(digits.y, 'int32'), classes).toFloat());
  for (let epoch = 0; epoch < epochs; epoch++) {
    // Our own loop: the order that fit() would draw cannot be repeated.
    const order = shuffled(x.shape[0], seed + epoch);
    for (let start = 0; start < order.length; start += BATCH) {
      const rows = tf.tensor1d(order.slice(start, start + BATCH), 'int32');
      const batch = [x.gather(rows), y.gather(rows)] as const;
      await network.trainOnBatch(...batch);
      tf.dispose([rows, ...batch]);
    }
    onEpoch((epoch + 1) / epochs);
  }
  const loss = network.evaluate(x, y) as tf.Scalar;
  const [objective] = loss.dataSync();
  tf.dispose([x, y, loss]);
  return { network, objective: objective! };
}

/** Share of digits that the network reads right. */
export function accuracy(network: tf.Sequential, { x, y }: Digits): number {
  const read = tf.tidy(() => (network.predict(toTensor(x)) as tf.Tensor).argMax(1).dataSync());
  return y.filter((digit, i) => digit === read[i]).length / y.length;
}

function toTensor({ data, rows, cols }: Matrix): tf.Tensor2D {
  return tf.tensor2d(Float32Array.from(data), [rows, cols]);
}
