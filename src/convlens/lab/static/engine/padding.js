/** An image with its padding, in memory that is kept between calls. */

import { sizeOf } from "./checks.js";

/** @typedef {import("./window.js").Window} Window */

export class Padding {
  /**
   * @param {Window} window
   * @param {readonly number[]} shape of the image, [H, W, C]
   */
  constructor(window, shape) {
    const rows = window.origin(0, shape[0]);
    const columns = window.origin(1, shape[1]);
    /** Values in one row of the padded image. */
    this.rowSize = columns.length * shape[2];
    /** For each value of the padded image, its place in the image; -1 where it is 0. */
    this.places = places(rows, columns, shape);
    this.none = this.places.length === sizeOf(shape); // padding only adds
    this.padded = new Float32Array(this.none ? 0 : this.places.length);
  }

  /**
   * Return an image with its padding: x itself where there is none, else memory that the next call overwrites.
   * @param {Float32Array} x
   * @returns {Float32Array}
   */
  pad(x) {
    if (this.none) return x;
    const { places, padded } = this;
    for (let at = 0; at < places.length; at++) if (places[at] >= 0) padded[at] = x[places[at]];
    return padded;
  }

  /**
   * The adjoint of `pad`: add the gradient of the padded image to that of the image. Those of reflected pixels go back
   * to their originals.
   * @param {Float64Array} padded
   * @param {Float64Array} dx
   */
  unpad(padded, dx) {
    const { places } = this;
    for (let at = 0; at < places.length; at++) if (places[at] >= 0) dx[places[at]] += padded[at];
  }
}

function places(rows, columns, [, width, channels]) {
  const found = new Int32Array(rows.length * columns.length * channels);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      const inside = row >= 0 && column >= 0;
      for (let c = 0; c < channels; c++) found[at++] = inside ? (row * width + column) * channels + c : -1;
    }
  }
  return found;
}
