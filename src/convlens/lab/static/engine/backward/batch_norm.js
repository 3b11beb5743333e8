import { factorsOf } from "../ops/batch_norm.js";

/**
 * dx = dy * gamma / sqrt(variance + epsilon): the running statistics are constants.
 * @returns {import("../ops/op.js").Backward}
 */
export const batch_norm = (node, arrays) => {
  const factors = factorsOf(node, arrays);
  return (dy, [dx]) => {
    for (let at = 0; at < dy.length; at++) dx[at] += dy[at] * factors[at % factors.length];
  };
};
