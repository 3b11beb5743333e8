/** The gradient that the poolings which are weighted sums share. */

import { Padding } from "../padding.js";
import { eachSeen } from "../seen.js";

/**
 * Share each dy among the pixels of its window, by their weights.
 * @param {import("../program.js").Node} node
 * @param {ArrayLike<number>} weights of the kernel's places
 * @returns {import("../ops/op.js").Backward}
 */
export function weighted(node, weights) {
  const padding = new Padding(node.window, node.inputShapes[0]);
  const dpadded = new Float64Array(padding.places.length);
  return (dy, [dx]) => {
    dpadded.fill(0);
    eachSeen(node, padding.rowSize, (from, to, place) => {
      dpadded[to] += weights[place] * dy[from];
    });
    padding.unpad(dpadded, dx);
  };
}
