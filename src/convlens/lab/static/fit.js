/** The drawing as a model takes it. */

import { SIDE } from "./drawing.js";

/**
 * The drawing in a model's own size and channels; scaled with linear interpolation where the size is another.
 * @param {Uint8Array} pixels 28 x 28
 * @param {number[]} shape (H, W, C)
 * @returns {Uint8Array}
 */
export function fitted(pixels, [height, width, channels]) {
  if (height === SIDE && width === SIDE && channels === 1) return pixels;
  const found = new Uint8Array(height * width * channels);
  const at = (y, x) => pixels[Math.min(SIDE - 1, Math.max(0, y)) * SIDE + Math.min(SIDE - 1, Math.max(0, x))];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [y, x] = [((i + 0.5) * SIDE) / height - 0.5, ((j + 0.5) * SIDE) / width - 0.5];
      const [top, left] = [Math.floor(y), Math.floor(x)];
      const [q, p] = [y - top, x - left];
      const above = (1 - p) * at(top, left) + p * at(top, left + 1);
      const below = (1 - p) * at(top + 1, left) + p * at(top + 1, left + 1);
      found.fill(Math.round((1 - q) * above + q * below), channels * (i * width + j), channels * (i * width + j + 1));
    }
  }
  return found;
}

/** What was done to the drawing for a model, in words; nothing if it was taken as it is. @param {number[]} shape */
export function fitting([height, width, channels]) {
  if (height === SIDE && width === SIDE && channels === 1) return "";
  const colours = channels === 1 ? "" : `, in ${channels} equal channels`;
  return `the drawing is scaled to ${height} x ${width}${colours} for it`;
}
