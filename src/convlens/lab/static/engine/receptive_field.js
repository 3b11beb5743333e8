/** What of the image a value sees, by the windows of the Program. */

import { ConvlensError } from "./errors.js";
import { sameShape } from "./checks.js";
import { INPUT } from "./program.js";

/**
 * @typedef {object} ReceptiveField what one output pixel of a node sees, anywhere in the image
 * @property {number} height in pixels of the image
 * @property {number} width
 * @property {[number, number]} stride the distance between the fields of two neighbours, down and across
 * @property {boolean} everything set after a layer that sees the whole image at once
 * @property {boolean} scattered set after a reshape into another image: sizes and stride mean nothing then
 *
 * @typedef {object} Field a rectangle of pixels; bottom and right are the first row and column beyond it
 * @property {number} top
 * @property {number} left
 * @property {number} bottom
 * @property {number} right
 */

/**
 * The theoretical receptive field of every value; where branches meet, the largest one. Over layers l with kernels k
 * and strides s: size = 1 + sum of (k_l - 1) * (product of the strides before l). Source: Araujo et al., Distill 2019.
 * @param {import("./program.js").Program} program
 * @returns {Map<string, ReceptiveField>}
 */
export function receptiveFields(program) {
  const point = { height: 1, width: 1, stride: [1, 1], everything: false, scattered: false };
  const fields = new Map([[INPUT, point]]);
  const images = new Map([[INPUT, program.inputShape]]); // as which a value's pixels lie
  for (const node of program.nodes) {
    let seen = node.inputs.map((name) => fields.get(name)).reduce((one, other) => (isLarger(other, one) ? other : one));
    let image = node.sight === "point" ? images.get(node.inputs[0]) : node.outputShape;
    if (node.outputShape.length === 3 && !sameShape(node.outputShape, image)) {
      const alone = node.outputShape[0] === 1 && node.outputShape[1] === 1; // one pixel of all the image was made of
      seen = { ...seen, scattered: true, everything: seen.everything || alone };
      image = node.outputShape;
    }
    if (node.window) seen = through(seen, node.window);
    else if (node.sight === "all") seen = { ...seen, everything: true };
    fields.set(node.name, seen);
    images.set(node.name, image);
  }
  return fields;
}

function through(field, { kernel, stride }) {
  return {
    ...field,
    height: field.height + (kernel[0] - 1) * field.stride[0],
    width: field.width + (kernel[1] - 1) * field.stride[1],
    stride: [field.stride[0] * stride[0], field.stride[1] * stride[1]],
  };
}

function isLarger(one, other) {
  if (one.everything !== other.everything) return one.everything;
  if (one.scattered !== other.scattered) return one.scattered;
  return one.height * one.width > other.height * other.width;
}

/**
 * The rectangle of the image that one unit sees; all of it after a layer that sees all. Where branches
 * meet, it is the smallest rectangle that holds what each sees.
 * @param {import("./program.js").Program} program
 * @param {string} name of the node
 * @param {number[]} place [row, column, channel], or [number] of a vector's unit
 * @returns {Field}
 */
export function fieldOfUnit(program, name, place) {
  const [height, width] = program.inputShape;
  const all = { top: 0, left: 0, bottom: height, right: width };
  const last = program.nodes.findIndex((node) => node.name === name);
  if (name !== INPUT && last < 0) throw new ConvlensError(`the model has no node '${name}'`);
  if (place.length !== 3) return all;
  const shapes = new Map([[INPUT, program.inputShape], ...program.nodes.map((node) => [node.name, node.outputShape])]);
  const fields = new Map([[name, { top: place[0], left: place[1], bottom: place[0] + 1, right: place[1] + 1 }]]);
  for (const node of program.nodes.slice(0, last + 1).reverse()) {
    const field = fields.get(node.name);
    if (!field) continue;
    for (const input of node.inputs) {
      const before = seenBefore(field, node, shapes.get(input));
      if (!before) return all;
      fields.set(input, joined(before, fields.get(input)));
    }
  }
  return fields.get(INPUT) ?? all;
}

/** What a rectangle of a node's output sees of its input; null if that is no rectangle. */
function seenBefore(field, { window, sight, outputShape }, shape) {
  if (window) {
    const [top, bottom] = seenLine(window, 0, shape[0], field.top, field.bottom);
    const [left, right] = seenLine(window, 1, shape[1], field.left, field.right);
    return { top, left, bottom, right };
  }
  const inPlace = sight === "point" && shape.length === 3 && shape[0] === outputShape[0] && shape[1] === outputShape[1];
  return inPlace ? field : null;
}

/** The first row, or column, of the input that outputs from `first` to before `last` see, and the first beyond. */
function seenLine(window, axis, size, first, last) {
  const stride = window.stride[axis];
  const places = window.origin(axis, size).slice(first * stride, (last - 1) * stride + window.kernel[axis]);
  const inside = places.filter((place) => place >= 0);
  return inside.length ? [Math.min(...inside), Math.max(...inside) + 1] : [0, 0];
}

function joined(one, other) {
  if (!other) return one;
  return {
    top: Math.min(one.top, other.top),
    left: Math.min(one.left, other.left),
    bottom: Math.max(one.bottom, other.bottom),
    right: Math.max(one.right, other.right),
  };
}
