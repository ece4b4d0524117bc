// What the errors of the convex ReLU family say: the argument, what it takes, what it got.

import { ConvexReLUClassifier, ConvexReLURegressor, trainConvexReLUSync } from 'secondorder';
import t from 'tap';
import { plain, x, y } from './fixtures/tiny-problem';

t.test('what is said', (t) => {
  const bad = (o: object) => () => new ConvexReLUClassifier(o);
  t.throws(bad({ betta: 1 }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.betta',
    message: /did you mean "beta"\?/,
  });
  t.throws(bad({ Gates: 1 }), { message: /did you mean "gates"\?/ });
  t.throws(bad({ zzzzzzzzzzzz: 1 }), { message: /known are loss, beta/ });
  t.throws(bad({ beta: -1 }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.beta',
    message: 'options.beta must be a number above 0, got -1',
  });
  t.throws(bad({ loss: 'l2' }), { message: /"squared" or "logistic" .*got "l2"/ });
  t.throws(bad({ refine: { rounds: 0 } }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.refine.rounds',
    message: /an integer at least 1 and at most \d+, got 0/,
  });
  t.throws(bad({ method: 'sgd' }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.method',
    message: /"admm" or "scp"/,
  });
  t.throws(bad({ adversarial: { epsilon: 1 }, loss: 'softmax' }), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /"squared" for adversarial training, got "softmax"/,
  });
  t.throws(bad({ device: 'cuda' }), { code: /^ERR_CUDA_/ });
  t.throws(bad({ device: 'gpu' }), { code: 'ERR_INVALID_ARGUMENT' });
  t.throws(() => new ConvexReLURegressor({ loss: 'hinge' as 'squared' }), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'options.loss',
  });
  t.throws(() => plain.predict([[1, 2], [3]]), {
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'x',
    message: /1 entries in row 1/,
  });
  t.throws(
    () =>
      plain.predict([
        [1, 2],
        [3, Number.NaN],
      ]),
    {
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'x',
      message: 'x must be finite numbers, got NaN at row 1, column 1',
    },
  );
  t.throws(() => plain.predict([[1, 2, 3]]), {
    code: 'ERR_DIMENSION_MISMATCH',
    message: 'x has 3 columns; 2 are needed',
  });
  const values = Float64Array.of(1, Number.POSITIVE_INFINITY);
  const sparse = { values, columns: Int32Array.of(0, 1), rowOffsets: Int32Array.of(0, 0, 2) };
  t.throws(() => plain.predict({ ...sparse, rows: 2, cols: 2 }), {
    message: /got Infinity at row 1, column 1/,
  });
  const falling = { ...sparse, values: values.slice(), columns: Int32Array.of(1, 0) };
  t.throws(() => plain.predict({ ...falling, rows: 2, cols: 2 }), {
    message: /columns that ascend within each row, got 0 after 1/,
  });
  t.throws(() => trainConvexReLUSync(x, [1, 2, 1, 1], { loss: 'logistic' }), {
    message: 'y must be -1 or 1 for the logistic loss, got 2 for sample 1',
  });
  t.throws(() => trainConvexReLUSync(x, y, { gates: { from: 'patches', image: [3, 3] } }), {
    code: 'ERR_DIMENSION_MISMATCH',
    argument: 'options.gates.image',
  });
  t.end();
});
