/**
 * Does a layer move its maps when the image moves? As `convlens.lens.equivariance` measures it, for one image:
 *
 *     equivariance error = ||f(T x) - T' f(x)|| / ||f(T x)||        invariance error = ||f(T x) - f(x)|| / ||f(T x)||
 *
 * where T' moves a map by as much as T moves the image: by shift / stride map pixels.
 * Source: Azulay & Weiss, JMLR 2019.
 */

import { ConvlensError } from "./errors.js";
import { copied } from "./model.js";
import { INPUT } from "./program.js";
import { receptiveFields } from "./receptive_field.js";
import { blank, shifted } from "./shift.js";

const ROUNDING = 1e-5; // of float32: an error up to this is none

/**
 * @typedef {object} NodeError
 * @property {string} node
 * @property {"equivariance" | "invariance"} kind invariance for a value without positions: a vector, or a single pixel
 * @property {number | null} error over the whole map; what T' fills in is 0
 * @property {number | null} kept over the map pixels that T' neither drops nor fills in
 * @property {number | null} interior over those of them that also see neither padding nor pixels that T filled in
 * @property {[number, number]} moved by how many map pixels T' moves the map, down and to the right
 * @property {boolean} whole whether shift / stride is whole; if not, the errors are those of the best whole shift
 * @property {boolean} broken whether the layer breaks the symmetry by more than rounding
 */

/**
 * Measure every node's error under a shift, the input first.
 * @param {import("./model.js").Model} model
 * @param {import("./model.js").Pixels} pixels
 * @param {[number, number]} shift (dy, dx), whole pixels, not both 0, within the image
 * @returns {NodeError[]}
 */
export function equivariance(model, pixels, shift) {
  requireShift(shift, model.inputShape);
  const { still, moved } = bothValues(model, pixels, shift);
  const fields = receptiveFields(model.program);
  const clean = sights(model.program, [0, 0]);
  const dirty = sights(model.program, shift);
  return [...still.keys()].map((name) => {
    const { shape, data } = still.get(name);
    const after = moved.get(name).data;
    const flat = shape.length === 1 || (shape[0] === 1 && shape[1] === 1);
    if (flat || fields.get(name).scattered) {
      const error = ratio(data, after);
      return judged({ node: name, kind: "invariance", error, kept: null, interior: null, moved: [0, 0], whole: true });
    }
    const steps = stepsOf(shift, fields.get(name).stride);
    return judged(ofMap(name, { shape, data, after }, steps, clean.get(name), dirty.get(name)));
  });
}

/**
 * A node's map for the shifted image, beside its own map shifted: what the error compares.
 * @param {import("./model.js").Model} model
 * @param {import("./model.js").Pixels} pixels
 * @param {[number, number]} shift
 * @param {NodeError} error of the node, for which shift of the map
 * @returns {{shape: number[], ofShifted: Float32Array, shiftedMap: Float32Array, difference: Float32Array}}
 */
export function bothMaps(model, pixels, shift, { node, moved: steps }) {
  const { still, moved } = bothValues(model, pixels, shift, [node]);
  const { shape, data } = still.get(node);
  const shiftedMap = shape.length === 3 ? shifted(data, shape, ...steps) : data;
  const ofShifted = moved.get(node).data;
  return { shape, ofShifted, shiftedMap, difference: ofShifted.map((one, at) => one - shiftedMap[at]) };
}

function bothValues(model, pixels, shift, names) {
  const still = copied(model.forward(pixels), names);
  const moved = copied(model.forward(shifted(pixels, model.inputShape, ...shift, blank(model, pixels))), names);
  return { still, moved };
}

function requireShift(shift, [height, width]) {
  const [dy, dx] = shift;
  const whole = shift.length === 2 && shift.every(Number.isInteger);
  if (whole && (dy !== 0 || dx !== 0) && Math.abs(dy) < height && Math.abs(dx) < width) return;
  throw new ConvlensError(`a shift is [dy, dx], whole pixels, not both 0 and within the image, not [${shift}]`);
}

/** Whole shifts of a map beside shift / stride: one an axis if that is whole, else two. */
function stepsOf(shift, stride) {
  const [down, right] = shift.map((one, axis) => {
    const exact = one / stride[axis];
    return [...new Set([Math.floor(exact), Math.ceil(exact)].map((step) => step + 0))]; // + 0: no negative zero
  });
  return down.flatMap((dy) => right.map((dx) => [dy, dx]));
}

/** The error of a map for the best of some shifts of it. */
function ofMap(name, maps, steps, clean, dirty) {
  const size = ({ error }) => error ?? Infinity;
  const errors = steps.map((step) => ofStep(name, maps, step, clean, dirty));
  const best = errors.reduce((one, other) => (size(other) < size(one) ? other : one));
  return { ...best, whole: steps.length === 1 };
}

function ofStep(name, { shape, data, after }, [down, right], clean, dirty) {
  const [height, width, channels] = shape;
  const expected = shifted(data, shape, down, right);
  const kept = shifted(new Uint8Array(height * width).fill(1), [height, width, 1], down, right);
  const cleanThen = shifted(clean, [height, width, 1], down, right);
  const interior = kept.map((one, at) => one & cleanThen[at] & dirty[at]);
  const error = (mask) => ratio(expected, after, (at) => mask[Math.floor(at / channels)]);
  return {
    node: name,
    kind: "equivariance",
    error: ratio(expected, after),
    kept: error(kept),
    interior: error(interior),
    moved: [down, right],
  };
}

function judged(found) {
  const measured = found.kind === "equivariance" ? found.interior : found.error;
  return { ...found, broken: !found.whole || (measured !== null && measured > ROUNDING) };
}

/** ||after - expected|| / ||after|| over the values that are used; null if there is nothing to compare. */
function ratio(expected, after, used = () => true) {
  let [apart, size, count] = [0, 0, 0];
  for (let at = 0; at < after.length; at++) {
    if (!used(at)) continue;
    apart += (after[at] - expected[at]) ** 2;
    size += after[at] ** 2;
    count += 1;
  }
  if (count === 0) return null;
  if (size === 0) return apart === 0 ? 0 : null;
  return Math.sqrt(apart) / Math.sqrt(size);
}

/**
 * Which pixels of every value with positions see only pixels of the image that the shift did not fill, 1 or 0, (H * W).
 * Padding of any kind, reflected pixels too, is not the image.
 */
function sights(program, shift) {
  const [height, width] = program.inputShape;
  const whole = new Uint8Array(height * width).fill(1);
  const seen = new Map([[INPUT, shifted(whole, [height, width, 1], ...shift)]]);
  for (const node of program.nodes) {
    if (node.outputShape.length !== 3) continue;
    const found = new Uint8Array(node.outputShape[0] * node.outputShape[1]).fill(1);
    node.inputs.forEach((name, place) => {
      const part = sightThrough(node, seen.get(name), node.inputShapes[place]);
      for (let at = 0; at < found.length; at++) found[at] &= part ? part[at] : 0;
    });
    seen.set(node.name, found);
  }
  return seen;
}

/** What a node leaves of such a mask; null where positions have no meaning, after a reshape. */
function sightThrough({ window, outputShape }, before, [height, width]) {
  if (!before) return null;
  if (!window) return height === outputShape[0] && width === outputShape[1] ? before : null;
  const [rows, columns] = outputShape;
  const clear = (i, j) => {
    const [top, left] = [i * window.stride[0] - window.rows[0], j * window.stride[1] - window.columns[0]];
    const [bottom, right] = [top + window.kernel[0], left + window.kernel[1]];
    if (top < 0 || left < 0 || bottom > height || right > width) return 0;
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) if (!before[row * width + column]) return 0;
    }
    return 1;
  };
  return Uint8Array.from({ length: rows * columns }, (_, at) => clear(Math.floor(at / columns), at % columns));
}
