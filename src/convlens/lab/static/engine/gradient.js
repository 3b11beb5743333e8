/** The derivative of any value inside a network with respect to its input. */

import { sizeOf } from "./checks.js";
import { ConvlensError } from "./errors.js";
import { INPUT } from "./program.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {number | number[] | Float32Array | Float64Array} Unit */

/**
 * The derivative of a unit, or of a weighted sum of units, with respect to the network's input: the prepared image.
 * With respect to a pixel of 0..255 it is this, times `scale / deviation` of the preprocessing.
 * @param {Model} model
 * @param {import("./model.js").Pixels} pixels
 * @param {Unit} unit the number of a unit of a vector, such as a class; [row, column, channel] of an image; or a typed
 *   array of weights, one for each value of the node
 * @param {string} [node] whose unit it is; the output, the logits, if left out
 * @returns {Float64Array} H * W * C
 */
export function inputGradient(model, pixels, unit, node = model.program.output) {
  return gradientAt(model, pixels, unit, node, INPUT);
}

/**
 * Likewise with respect to the values of any node before it.
 * @param {Model} model
 * @param {import("./model.js").Pixels} pixels
 * @param {Unit} unit
 * @param {string} node
 * @param {string} at the node whose values it is the derivative with respect to, or "input"
 * @returns {Float64Array}
 */
export function gradientAt(model, pixels, unit, node, at) {
  const weights = weightsOf(unit, model.node(node).outputShape, node);
  if (at !== INPUT) model.node(at);
  model.forward(pixels);
  return model.backward(node, weights).get(at).data.slice();
}

/**
 * The weights of a value's units: 1 for the unit that is asked for, else 0.
 * @param {Unit} unit
 * @param {number[]} shape
 * @param {string} node for messages
 * @returns {ArrayLike<number>}
 */
export function weightsOf(unit, shape, node) {
  if (ArrayBuffer.isView(unit)) return unit;
  const weights = new Float64Array(sizeOf(shape));
  weights[placeOf(unit, shape, node)] = 1;
  return weights;
}

/**
 * The place of a unit among the values of a node, row-major; an error if there is none such.
 * @param {number | number[]} unit
 * @param {number[]} shape
 * @param {string} node
 * @returns {number}
 */
export function placeOf(unit, shape, node) {
  const place = Array.isArray(unit) ? unit : [unit];
  const inside = (one, axis) => Number.isInteger(one) && one >= 0 && one < shape[axis];
  if (place.length !== shape.length || !place.every(inside)) {
    const wanted = shape.length === 1 ? "its number" : "[row, column, channel]";
    const what = `a unit of ${node}, of shape [${shape}]`;
    throw new ConvlensError(`${what}, is ${wanted} within that, not ${JSON.stringify(unit)}`);
  }
  return place.reduce((at, one, axis) => at * shape[axis] + one, 0);
}
