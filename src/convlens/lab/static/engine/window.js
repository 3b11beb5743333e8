/**
 * The sliding window: which input pixels one output pixel sees (docs/format.md, "Windows").
 *
 * Padding of either mode is one table an axis: `origin[p]` is the row, or column, of the image that lies at place p of
 * the padded image, or -1 where there is none, but zeros. Padding, its adjoint and receptive fields read it.
 */

import { ConvlensError } from "./errors.js";
import { requireKeys, shown, wholeNumbers } from "./checks.js";

const MODES = ["zeros", "reflect"];

export class Window {
  /**
   * @param {unknown} data a node's `sight`
   * @param {string} where
   */
  constructor(data, where) {
    requireKeys(data, ["kernel", "stride", "rows", "columns", "mode"], where);
    /** @type {[number, number]} height and width, in pixels */
    this.kernel = pair(data.kernel, `${where}.kernel`, 1);
    /** @type {[number, number]} */
    this.stride = pair(data.stride, `${where}.stride`, 1);
    /** @type {[number, number]} padding above and below */
    this.rows = pair(data.rows, `${where}.rows`, 0);
    /** @type {[number, number]} padding left and right */
    this.columns = pair(data.columns, `${where}.columns`, 0);
    if (!MODES.includes(data.mode)) {
      throw new ConvlensError(`${where}.mode is ${shown(data.mode)}, and ${MODES.join(" or ")} is needed`);
    }
    /** @type {"zeros" | "reflect"} what padding holds */
    this.mode = data.mode;
    Object.freeze(this);
  }

  /**
   * The size of the output, (H_out, W_out); an error if the window does not fit.
   * @param {number} height
   * @param {number} width
   * @param {string} where
   * @returns {[number, number]}
   */
  outputSize(height, width, where) {
    const sizes = [height, width];
    const padding = [this.rows, this.columns];
    return sizes.map((size, axis) => {
      const padded = size + padding[axis][0] + padding[axis][1];
      if (padded < this.kernel[axis] || (this.mode === "reflect" && Math.max(...padding[axis]) >= size)) {
        throw new ConvlensError(`${where}: its window does not fit into ${height} x ${width} pixels`);
      }
      return Math.floor((padded - this.kernel[axis]) / this.stride[axis]) + 1;
    });
  }

  /**
   * The image's row, or column, at each place of the padded image; -1 where it holds zeros.
   * @param {0 | 1} axis 0 for rows, 1 for columns
   * @param {number} size of the image along this axis
   * @returns {Int32Array}
   */
  origin(axis, size) {
    const [before, after] = axis === 0 ? this.rows : this.columns;
    return Int32Array.from({ length: before + size + after }, (_, place) => {
      const inside = place - before;
      if (inside >= 0 && inside < size) return inside;
      if (this.mode === "zeros") return -1;
      return inside < 0 ? -inside : 2 * (size - 1) - inside;
    });
  }
}

function pair(value, where, least) {
  return wholeNumbers(value, where, { length: 2, least });
}
