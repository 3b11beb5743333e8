import { Padding } from "../padding.js";
import { eachSeen } from "../seen.js";
import { pooling } from "./op.js";

/** y[i,j,c] = sum over u,v of p[u] * q[v] * seen[i,j,u,v,c], where p and q are binomial coefficients that sum to 1. */
export const blur_pool2d = pooling((node) => {
  const padding = new Padding(node.window, node.inputShapes[0]);
  const sums = new Float64Array(node.outputShape.reduce((a, b) => a * b));
  const weights = binomial(node.window.kernel);
  return ([x], y) => {
    const padded = padding.pad(x);
    sums.fill(0);
    eachSeen(node, padding.rowSize, (to, from, place) => {
      sums[to] += weights[place] * padded[from];
    });
    y.set(sums);
  };
});

/**
 * The weights of a blur, (KH * KW): 1, 2, 1 along each axis for three pixels, divided by their sum.
 * @param {[number, number]} kernel
 * @returns {Float64Array}
 */
export function binomial([rows, columns]) {
  const [p, q] = [line(rows), line(columns)];
  return Float64Array.from({ length: rows * columns }, (_, at) => p[Math.floor(at / columns)] * q[at % columns]);
}

/** One axis: each coefficient is the one before it, times (n - i) / (i + 1). */
function line(size) {
  const found = [2 ** (1 - size)];
  for (let i = 0; i < size - 1; i++) found.push((found[i] * (size - 1 - i)) / (i + 1));
  return found;
}
