import { Patches } from "../patches.js";
import { weightedSums } from "../products.js";
import { connecting } from "./op.js";

/** y[i,j,o] = b[o] + sum over u,v,c of seen[i,j,u,v,c] * w[u,v,c,o] */
export const conv2d = connecting(
  ({ window: { kernel }, inputShapes: [shape], outputShape }) => ({
    w: [...kernel, shape[2], outputShape[2]],
    b: [outputShape[2]],
  }),
  (node, arrays) => {
    const patches = new Patches(node);
    const [rows, columns, outputs] = node.outputShape;
    return ([x], y) => {
      const padded = patches.padding.pad(x);
      for (let i = 0, at = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++, at += outputs) {
          weightedSums(patches, patches.gather(padded, i, j), arrays, 0, 0, y, at, outputs);
        }
      }
    };
  },
);
