/** What each output pixel of a window sees, with the zeros left out. */

import { Padding } from "./padding.js";

/** @typedef {import("./program.js").Node} Node */

/**
 * The patches of one image, one at a time. Most pixels of a drawing, and half of what a ReLU gives, are 0 and add
 * nothing to a sum of products, so only the others are gathered, once for all output channels.
 */
export class Patches {
  /** @param {Node} node that has a window */
  constructor(node) {
    const [[, , channels]] = node.inputShapes;
    const { kernel, stride } = node.window;
    this.padding = new Padding(node.window, node.inputShapes[0]);
    this.kernelRows = kernel[0];
    this.rowLength = kernel[1] * channels; // values that lie side by side
    this.size = this.kernelRows * this.rowLength; // KH * KW * C
    this.down = stride[0] * this.padding.rowSize;
    this.across = stride[1] * channels;
    /** The gathered values, and the place of each in the patch. */
    this.values = new Float64Array(this.size);
    this.places = new Int32Array(this.size);
  }

  /**
   * Gather what output pixel (i, j) sees of a padded image.
   * @param {Float32Array} padded
   * @param {number} i
   * @param {number} j
   * @returns {number} how many values were gathered
   */
  gather(padded, i, j) {
    const { values, places, rowLength, padding } = this;
    let count = 0;
    let from = i * this.down + j * this.across;
    for (let begin = 0; begin < this.size; begin += rowLength, from += padding.rowSize) {
      for (let k = 0; k < rowLength; k++) {
        const value = padded[from + k];
        if (value !== 0) {
          values[count] = value;
          places[count++] = begin + k;
        }
      }
    }
    return count;
  }
}
