const { ConvexReLUClassifier, verify } = require('secondorder');

// 400 points of a grid; those near the middle are 'in'.
const x = Array.from({ length: 400 }, (_, i) => [(i % 20) - 9.5, Math.floor(i / 20) - 9.5]);
const y = x.map(([a, b]) => (Math.hypot(a, b) < 7 ? 'in' : 'out'));

const model = new ConvexReLUClassifier({ gates: 64, beta: 1e-3, seed: 1 }).fitSync(x, y);
console.log(model.report.status, model.score(x, y), model.predict([[0, 0]]));
const { objective, dualBound, gap } = verify(model, x, y); // from data and certificate alone
console.log(`optimum at least ${dualBound}, this network ${objective}, relative gap ${gap}`);
