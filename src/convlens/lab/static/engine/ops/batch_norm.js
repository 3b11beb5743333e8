/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, channel by channel, with the running statistics
 * @type {import("./op.js").Op}
 */
export const batch_norm = {
  inputs: 1,
  sight: "point",
  attributes: ["epsilon", "momentum"],
  outputShape: (node) => node.inputShapes[0],
  parameters: (node) => ({ gamma: [node.outputShape.at(-1)], beta: [node.outputShape.at(-1)] }),
  buffers: (node) => ({ mean: [node.outputShape.at(-1)], variance: [node.outputShape.at(-1)] }),
  forward(node, arrays) {
    const { mean, beta } = arrays;
    const factors = factorsOf(node, arrays);
    return ([x], y) => {
      for (let at = 0; at < y.length; ) {
        for (let c = 0; c < factors.length; c++, at++) y[at] = (x[at] - mean[c]) * factors[c] + beta[c];
      }
    };
  },
};

/**
 * gamma / sqrt(variance + epsilon) of every channel.
 * @param {import("../program.js").Node} node
 * @param {Record<string, Float32Array>} arrays
 * @returns {Float64Array}
 */
export function factorsOf(node, { gamma, variance }) {
  return Float64Array.from(gamma, (scale, c) => scale / Math.sqrt(variance[c] + node.attributes.epsilon));
}
