import { weighted } from "./pooling.js";

/** @returns {import("../ops/op.js").Backward} */
export const average_pool2d = (node) => {
  const count = node.window.kernel[0] * node.window.kernel[1];
  return weighted(node, new Float64Array(count).fill(1 / count));
};
