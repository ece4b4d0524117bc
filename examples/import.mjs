import { ConvexReLURegressor } from 'secondorder';

const x = Array.from({ length: 300 }, (_, i) => [1, 2.1, 3.3].map((k) => Math.sin(k * i)));
const y = x.map(([a, b, c]) => Math.abs(a) + Math.max(b, c));
const model = new ConvexReLURegressor({ gates: 128, beta: 1e-3 });
await model.fit(x, y, { onProgress: ({ iteration, gap }) => console.error(iteration, gap) });
console.log(model.report.status, 'R²', model.score(x, y), 'bound', model.report.dualBound);
await model.save('model.safetensors'); // or .json; the certificate is saved with it
const again = await ConvexReLURegressor.load('model.safetensors');
console.log(again.predict([[0.5, -0.5, 0.2]]));
