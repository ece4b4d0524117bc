const { minimizeSync } = require('secondorder/newton');

// The point of the unit circle nearest to (2, 1).
const { status, x, lambda } = minimizeSync({
  variables: 2,
  constraints: 1,
  x0: [1, 1],
  objective: ([a, b]) => (a - 2) ** 2 + (b - 1) ** 2,
  gradient: ([a, b], out) => out.set([2 * (a - 2), 2 * (b - 1)]),
  constraint: ([a, b], out) => out.set([a ** 2 + b ** 2 - 1]),
  jacobian: { values: ([a, b], out) => out.set([2 * a, 2 * b]) }, // one row, dense
});
console.log(status, x, lambda);
