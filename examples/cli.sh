set -e
node -e 'for (let i = 0; i < 400; i++) {
  const a = i % 20, b = Math.floor(i / 20);
  console.log([a, b, Math.hypot(a - 9.5, b - 9.5) < 7 ? "in" : "out"].join());
}' > points.csv
npx secondorder train points.csv --test-fraction 0.25 --out model.json --report report.html
npx secondorder verify model.json points.csv
npx secondorder predict model.json points.csv --out read.csv
