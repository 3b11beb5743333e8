/** From pixels to the network's input: (scale * x - mean) / deviation. */

import { finiteNumber, requireKeys, shapeOf, sizeOf } from "./checks.js";
import { ConvlensError } from "./errors.js";

export class Preprocessing {
  /** @param {unknown} data the header's `preprocessing` */
  constructor(data) {
    requireKeys(data, ["input_shape"], "preprocessing", ["scale", "mean", "deviation"]);
    this.inputShape = shapeOf(data.input_shape, "preprocessing.input_shape");
    this.scale = finiteNumber(data.scale ?? 1 / 255, "preprocessing.scale");
    this.mean = finiteNumber(data.mean ?? 0, "preprocessing.mean");
    this.deviation = finiteNumber(data.deviation ?? 1, "preprocessing.deviation");
    if (!(this.scale > 0 && this.deviation > 0)) {
      throw new ConvlensError("preprocessing: scale and deviation must be greater than 0");
    }
    Object.freeze(this);
  }

  /** What an empty pixel, 0, becomes. */
  get blank() {
    return -this.mean / this.deviation;
  }

  /**
   * Write an image as the network reads it.
   * @param {Uint8Array | Uint8ClampedArray | Float32Array} pixels bytes, which are prepared; or floats, which are the
   *   network's input as they are
   * @param {Float32Array} out
   */
  fill(pixels, out) {
    if (!(pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray || pixels instanceof Float32Array)) {
      throw new ConvlensError("an image is a Uint8Array of pixels, or a Float32Array of the network's input");
    }
    if (pixels.length !== sizeOf(this.inputShape)) {
      const [height, width, channels] = this.inputShape;
      throw new ConvlensError(
        `the image has ${pixels.length} values, and the model takes ${height} x ${width} x ${channels}; resize it`,
      );
    }
    if (pixels instanceof Float32Array) {
      out.set(pixels);
      return;
    }
    const factor = Math.fround(this.scale / this.deviation); // as convlens computes it, to the last bit
    const shift = Math.fround(this.mean / this.deviation);
    for (let at = 0; at < out.length; at++) out[at] = Math.fround(pixels[at] * factor) - shift;
  }
}
