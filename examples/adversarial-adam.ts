/** What many would do instead: a ReLU network trained by Adam on inputs that PGD moves, in TensorFlow.js. */
import * as tf from '@tensorflow/tfjs';
import { ReLUNetwork } from 'secondorder';
import type { TwoClasses } from './adversarial-data';

/** Settings of one training. */
export interface AdversarialAdamOptions {
  width: number;
  epsilon: number;
  loss: 'hinge' | 'logistic';
  /** Of ½‖weights‖² of both layers. */
  beta: number;
  learningRate: number;
  iterations: number;
  /** Steps of PGD in each iteration. */
  attackSteps: number;
  seed: number;
}

/** The network over inputs as they are given, trained on all samples at once. */
export function trainAdversarialAdam(
  data: TwoClasses,
  options: AdversarialAdamOptions,
): ReLUNetwork {
  const { width, epsilon, beta, learningRate, iterations, attackSteps, seed } = options;
  const features = data.x[0]!.length;
  const x = tf.tensor2d(data.x);
  const y = tf.tensor2d(data.y, [data.y.length, 1]);
  const normal = (
    shape: [number, number],
    deviation: number,
    part: number,
  ): tf.Variable<tf.Rank.R2> =>
    tf.variable(tf.randomNormal(shape, 0, deviation, 'float32', 4 * seed + part));
  const hidden = normal([features, width], Math.sqrt(2 / features), 1);
  const hiddenBias = tf.variable(tf.zeros([1, width]));
  const output = normal([width, 1], Math.sqrt(1 / width), 2);
  const weights = [hidden, hiddenBias, output];
  const margins = (inputs: tf.Tensor2D): tf.Tensor =>
    tf.mul(y, tf.matMul(tf.relu(tf.add(tf.matMul(inputs, hidden), hiddenBias)), output));
  const losses = (margin: tf.Tensor): tf.Tensor =>
    options.loss === 'hinge' ? tf.relu(tf.sub(1, margin)) : tf.softplus(tf.neg(margin));
  const uphill = tf.grad((inputs) => tf.neg(tf.sum(margins(inputs as tf.Tensor2D))));

  const optimizer = tf.train.adam(learningRate);
  const size = (2.5 * epsilon) / attackSteps;
  for (let k = 0; k < iterations; k++) {
    const moved = tf.tidy(() => {
      let shift = tf.randomUniform(x.shape, -epsilon, epsilon, 'float32', seed + k) as tf.Tensor2D;
      for (let step = 0; step < attackSteps && epsilon > 0; step++) {
        const up = tf.sign(uphill(tf.add(x, shift)));
        shift = tf.clipByValue(tf.add(shift, tf.mul(up, size)) as tf.Tensor2D, -epsilon, epsilon);
      }
      return epsilon > 0 ? tf.add(x, shift) : tf.clone(x);
    }) as tf.Tensor2D;
    optimizer.minimize(() => {
      const penalty = tf.addN(weights.map((part) => tf.sum(tf.square(part))));
      return tf.add(tf.mean(losses(margins(moved))), tf.mul(beta / 2, penalty)) as tf.Scalar;
    });
    moved.dispose();
  }
  const network = new ReLUNetwork({
    hidden: tf.tidy(() => tf.transpose(hidden).arraySync() as number[][]),
    hiddenBias: hiddenBias.dataSync<'float32'>(),
    output: [Array.from(output.dataSync<'float32'>())],
  });
  tf.dispose([x, y, ...weights]);
  optimizer.dispose();
  return network;
}
