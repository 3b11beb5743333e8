import { weightedSums } from "../products.js";

/**
 * y[o] = b[o] + sum over d of x[d] * w[d,o]
 * @type {import("./op.js").Op}
 */
export const dense = {
  inputs: 1,
  sight: "all",
  attributes: [],
  outputShape: (node) => [node.outputShape[0]],
  parameters: ({ inputShapes: [[size]], outputShape: [outputs] }) => ({ w: [size, outputs], b: [outputs] }),
  buffers: () => ({}),
  forward(node, arrays) {
    const [[size]] = node.inputShapes;
    const [outputs] = node.outputShape;
    const gathered = { values: new Float64Array(size), places: new Int32Array(size) };
    return ([x], y) => {
      let count = 0;
      for (let d = 0; d < size; d++) {
        if (x[d] === 0) continue;
        gathered.values[count] = x[d];
        gathered.places[count++] = d;
      }
      weightedSums(gathered, count, arrays, 0, 0, y, 0, outputs);
    };
  },
};
