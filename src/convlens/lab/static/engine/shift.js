/** An image, or a map, moved by whole pixels. */

/**
 * T x: moved down by dy and to the right by dx; what leaves is lost, and `fill` comes in.
 * @template {Uint8Array | Uint8ClampedArray | Float32Array | Float64Array} A
 * @param {A} x
 * @param {readonly number[]} shape [H, W, C]
 * @param {number} dy
 * @param {number} dx
 * @param {number} [fill]
 * @returns {A}
 */
export function shifted(x, [height, width, channels], dy, dx, fill = 0) {
  const moved = new x.constructor(x.length).fill(fill);
  const first = Math.max(dx, 0);
  const row = (width - Math.abs(dx)) * channels; // values of one row that stay
  if (row <= 0) return moved;
  for (let i = Math.max(dy, 0); i < Math.min(height, height + dy); i++) {
    const from = ((i - dy) * width + first - dx) * channels;
    moved.set(x.subarray(from, from + row), (i * width + first) * channels);
  }
  return moved;
}

/**
 * The value of an empty pixel in an image of this type.
 * @param {import("./model.js").Model} model
 * @param {import("./model.js").Pixels} pixels
 * @returns {number}
 */
export function blank(model, pixels) {
  return pixels instanceof Float32Array ? model.preprocessing.blank : 0;
}

/**
 * Every shift of up to `reach` pixels in each direction, from coarse to fine: first those of multiples of the largest
 * power of two, then of half of it, and so on. Each shift is in one step alone, the first that has it.
 * @param {number} reach
 * @returns {{step: number, offsets: [number, number][]}[]} offsets are (dy, dx)
 */
export function coarseToFine(reach) {
  const steps = [];
  for (let step = 2 ** Math.floor(Math.log2(Math.max(reach, 1))); step >= 1; step /= 2) {
    const line = [];
    for (let at = -Math.floor(reach / step) * step; at <= reach; at += step) line.push(at);
    const known = (dy, dx) => steps.length > 0 && dy % (2 * step) === 0 && dx % (2 * step) === 0;
    const offsets = line.flatMap((dy) => line.filter((dx) => !known(dy, dx)).map((dx) => [dy, dx]));
    steps.push({ step, offsets });
  }
  return steps;
}

/**
 * The probabilities of an image under shifts, one after the other.
 * @param {import("./model.js").Model} model
 * @param {import("./model.js").Pixels} pixels
 * @param {[number, number][]} offsets
 * @returns {Float32Array} as many times K probabilities
 */
export function underShifts(model, pixels, offsets) {
  const found = new Float32Array(offsets.length * model.classes);
  const fill = blank(model, pixels);
  offsets.forEach(([dy, dx], place) => {
    found.set(model.probabilities(shifted(pixels, model.inputShape, dy, dx, fill)), place * model.classes);
  });
  return found;
}
