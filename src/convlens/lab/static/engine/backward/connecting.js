/** The input gradient that convolution and locally connected layers share. */

import { Padding } from "../padding.js";
import { addTransposed, allZero } from "../products.js";

/**
 * dpadded[i*sh + u, j*sw + v, c] += sum over o of dy[i,j,o] * w[u,v,c,o], with the weights of the position
 * @param {import("../program.js").Node} node
 * @param {{w: Float32Array}} arrays
 * @param {(position: number) => number} weightsAt where the weights of an output pixel begin in w
 * @returns {import("../ops/op.js").Backward}
 */
export function connecting(node, { w }, weightsAt) {
  const [[, , channels]] = node.inputShapes;
  const { kernel, stride } = node.window;
  const padding = new Padding(node.window, node.inputShapes[0]);
  const dpadded = new Float64Array(padding.places.length);
  const [rows, columns, outputs] = node.outputShape;
  const size = kernel[1] * channels; // of one row of a patch
  return (dy, [dx]) => {
    dpadded.fill(0);
    for (let position = 0; position < rows * columns; position++) {
      if (allZero(dy, position * outputs, outputs)) continue;
      const [i, j] = [Math.floor(position / columns), position % columns];
      let to = i * stride[0] * padding.rowSize + j * stride[1] * channels;
      let at = weightsAt(position);
      for (let u = 0; u < kernel[0]; u++, to += padding.rowSize, at += size * outputs) {
        addTransposed(dy, position * outputs, outputs, w, at, dpadded, to, size);
      }
    }
    padding.unpad(dpadded, dx);
  };
}
