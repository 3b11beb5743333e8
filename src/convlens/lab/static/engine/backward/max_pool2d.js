import { Padding } from "../padding.js";
import { eachSeen } from "../seen.js";

/**
 * Each dy goes to the pixel that was the maximum: of equal ones, the first in reading order.
 * @returns {import("../ops/op.js").Backward}
 */
export const max_pool2d = (node) => {
  const padding = new Padding(node.window, node.inputShapes[0]);
  const dpadded = new Float64Array(padding.places.length);
  return (dy, [dx], [x], y) => {
    const padded = padding.pad(x);
    const given = new Uint8Array(dy.length);
    dpadded.fill(0);
    eachSeen(node, padding.rowSize, (from, to) => {
      if (given[from] || padded[to] !== y[from]) return;
      given[from] = 1;
      dpadded[to] += dy[from];
    });
    padding.unpad(dpadded, dx);
  };
};
