import { Padding } from "../padding.js";
import { eachSeen } from "../seen.js";
import { pooling } from "./op.js";

/** y[i,j,c] = maximum over u,v of seen[i,j,u,v,c] */
export const max_pool2d = pooling((node) => {
  const padding = new Padding(node.window, node.inputShapes[0]);
  return ([x], y) => {
    const padded = padding.pad(x);
    y.fill(-Infinity);
    eachSeen(node, padding.rowSize, (to, from) => {
      if (padded[from] > y[to]) y[to] = padded[from];
    });
  };
});
