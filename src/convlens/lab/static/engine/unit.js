/**
 * One unit's arithmetic. Every op but the activations is a weighted sum of what a unit reads, plus a bias:
 *
 *     value = sum over the patch of (patch * kernel) + bias
 *
 * An activation is applied to one such value, and is told with it. One that is applied to the image, or to another
 * activation, is told alone: the sum is the value that it reads.
 */

import { factorsOf } from "./ops/batch_norm.js";
import { binomial } from "./ops/blur_pool2d.js";
import { sizeOf } from "./checks.js";
import { placeOf } from "./gradient.js";
import { arraysOf } from "./interpreter.js";
import { INPUT } from "./program.js";
import { fieldOfUnit } from "./receptive_field.js";

const ACTIVATIONS = ["relu", "tanh"];

/**
 * @typedef {object} UnitArithmetic
 * @property {string} node that computes the weighted sum
 * @property {string} op
 * @property {number[]} place [row, column, channel], or [number]
 * @property {readonly string[]} reads names of the values that it reads
 * @property {number[]} shape of patch, kernel, products and padding: [KH, KW, C] or [D]
 * @property {Float64Array} patch what it reads; padding is in it, as 0 or as the reflected pixel
 * @property {Float64Array} kernel by what that is multiplied
 * @property {Float64Array} products
 * @property {Uint8Array} padding 1 where the patch lies beyond the image's edge
 * @property {[number, number] | null} corner row and column of the window's corner in the value that it reads
 * @property {number} bias
 * @property {number} total the sum of products and bias, in double precision
 * @property {number} value the network's, which the total is up to rounding
 * @property {string | null} activation the node that applies a function to this value alone
 * @property {number | null} activated its value
 * @property {import("./receptive_field.js").Field} sees the rectangle of the image that the unit sees
 */

/**
 * How one unit's value comes about.
 * @param {import("./model.js").Model} model
 * @param {Map<string, import("./interpreter.js").Value>} values of `model.forward`
 * @param {string} name of a node; of an activation, the node before it is told, and the activation with it
 * @param {number | number[]} unit [row, column, channel], or the number of a vector's unit
 * @returns {UnitArithmetic}
 */
export function unitArithmetic(model, values, name, unit) {
  const asked = model.node(name);
  const at = placeOf(unit, asked.outputShape, name);
  const alone = !isActivation(asked) || asked.inputs[0] === INPUT || isActivation(model.node(asked.inputs[0]));
  const told = alone ? asked : model.node(asked.inputs[0]);
  const after = isActivation(asked) ? asked : activationOf(model.program, told);
  const place = Array.isArray(unit) ? [...unit] : [unit];
  const sum = SUMS[told.op](told, values, place);
  const products = sum.patch.map((value, k) => value * sum.kernel[k]);
  return {
    node: told.name,
    op: told.op,
    place,
    reads: told.inputs,
    padding: new Uint8Array(products.length),
    corner: null,
    ...sum,
    products,
    total: products.reduce((total, one) => total + one, sum.bias),
    value: isActivation(told) ? sum.patch[0] : values.get(told.name).data[at],
    activation: after?.name ?? null,
    activated: after ? values.get(after.name).data[at] : null,
    sees: fieldOfUnit(model.program, told.name, place),
  };
}

function isActivation(node) {
  return ACTIVATIONS.includes(node.op);
}

function activationOf(program, node) {
  const readers = program.nodes.filter((one) => one.inputs.includes(node.name));
  return readers.length === 1 && isActivation(readers[0]) ? readers[0] : undefined;
}

/** By op: (node, values, place) -> shape, patch, kernel and bias, and for a window where it lies. */
const SUMS = {
  conv2d(node, values, place) {
    return connected(node, window(node, values, place), place[2]);
  },
  local2d(node, values, place) {
    const first = (place[0] * node.outputShape[1] + place[1]) * node.outputShape[2]; // bias of this position
    const seen = window(node, values, place);
    return connected(node, seen, place[2], first * seen.patch.length, first);
  },
  dense(node, values, [o]) {
    const patch = Float64Array.from(values.get(node.inputs[0]).data);
    const { w, b } = arraysOf(node);
    const kernel = patch.map((_, d) => w[d * b.length + o]);
    return { shape: [patch.length], patch, kernel, bias: b[o] };
  },
  max_pool2d(node, values, place) {
    const seen = window(node, values, place, place[2]);
    const first = seen.patch.indexOf(seen.patch.reduce((one, other) => Math.max(one, other)));
    return { ...seen, kernel: seen.patch.map((_, k) => (k === first ? 1 : 0)), bias: 0 };
  },
  average_pool2d(node, values, place) {
    const seen = window(node, values, place, place[2]);
    return { ...seen, kernel: seen.patch.map(() => 1 / seen.patch.length), bias: 0 };
  },
  blur_pool2d(node, values, place) {
    return { ...window(node, values, place, place[2]), kernel: binomial(node.window.kernel), bias: 0 };
  },
  batch_norm(node, values, place) {
    const { shape, patch } = points(node, values, place);
    const [channel, arrays] = [place.at(-1), arraysOf(node)];
    const kernel = factorsOf(node, arrays).slice(channel, channel + 1);
    return { shape, patch, kernel, bias: arrays.beta[channel] - arrays.mean[channel] * kernel[0] };
  },
  add: points,
  dropout: points,
  relu: points,
  reshape: points,
  tanh: points,
};

/** The same place of every value that a node reads. */
function points(node, values, place) {
  const at = placeOf(place, node.outputShape, node.name);
  const patch = Float64Array.from(node.inputs, (name) => values.get(name).data[at]);
  return { shape: [patch.length], patch, kernel: patch.map(() => 1), bias: 0 };
}

/** What a window sees at a place: of all channels, or of one. */
function window(node, values, [i, j], channel) {
  const [height, width, channels] = node.inputShapes[0];
  const { kernel, stride, rows: above, columns: before } = node.window;
  const [rows, columns] = [node.window.origin(0, height), node.window.origin(1, width)];
  const x = values.get(node.inputs[0]).data;
  const shape = [...kernel, channel === undefined ? channels : 1];
  const corner = [i * stride[0] - above[0], j * stride[1] - before[0]];
  const patch = new Float64Array(sizeOf(shape));
  const padding = new Uint8Array(patch.length);
  for (let at = 0; at < patch.length; at++) {
    const [u, v] = [Math.floor(at / (kernel[1] * shape[2])), Math.floor(at / shape[2]) % kernel[1]];
    const [row, column] = [rows[i * stride[0] + u], columns[j * stride[1] + v]];
    if (row >= 0 && column >= 0) patch[at] = x[(row * width + column) * channels + (channel ?? at % channels)];
    padding[at] = isInside(corner[0] + u, height) && isInside(corner[1] + v, width) ? 0 : 1;
  }
  return { shape, patch, padding, corner };
}

function isInside(place, size) {
  return place >= 0 && place < size;
}

/** Every output channel's weights lie side by side; those of a position begin at wAt, its biases at bAt. */
function connected(node, seen, o, wAt = 0, bAt = 0) {
  const { w, b } = arraysOf(node);
  const outputs = node.outputShape[2];
  return { ...seen, kernel: seen.patch.map((_, k) => w[wAt + k * outputs + o]), bias: b[bAt + o] };
}
