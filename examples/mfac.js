const { FisherWindow } = require('secondorder/mfac');

const window = new FisherWindow({ dimension: 3, capacity: 2, damping: 0.1 });
window.pushSync(Float32Array.of(1, 0, 2));
console.log(window.pushAndSolveSync(Float32Array.of(0, 1, 1))); // H⁻¹g
window.dispose();
