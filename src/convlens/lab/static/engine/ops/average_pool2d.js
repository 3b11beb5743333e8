import { Padding } from "../padding.js";
import { eachSeen } from "../seen.js";
import { pooling } from "./op.js";

/** y[i,j,c] = mean over u,v of seen[i,j,u,v,c] */
export const average_pool2d = pooling((node) => {
  const padding = new Padding(node.window, node.inputShapes[0]);
  const sums = new Float64Array(node.outputShape.reduce((a, b) => a * b));
  const count = node.window.kernel[0] * node.window.kernel[1];
  return ([x], y) => {
    const padded = padding.pad(x);
    sums.fill(0);
    eachSeen(node, padding.rowSize, (to, from) => {
      sums[to] += padded[from];
    });
    for (let at = 0; at < y.length; at++) y[at] = sums[at] / count;
  };
});
