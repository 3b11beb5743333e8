/** The Program: the network as a list of simple operations (docs/format.md, "The Program"), read and checked. */

import { finiteNumber, isObject, requireKeys, sameShape, shapeOf, shown, sizeOf } from "./checks.js";
import { ConvlensError } from "./errors.js";
import { nearest } from "./names.js";
import { OPS } from "./ops/index.js";
import { Window } from "./window.js";

/** @typedef {import("./checks.js").Shape} Shape */

/** The name of the value that the first nodes read: the prepared image. */
export const INPUT = "input";

const LARGEST = 2 ** 26; // values of all nodes and their padding: 256 MB
const PROGRAM_KEYS = ["input_shape", "nodes", "parameter_size", "buffer_size"];
const NODE_KEYS = ["name", "op", "inputs", "input_shapes", "output_shape", "sight", "attributes", "parameters"];
const SLOT_KEYS = ["name", "offset", "shape", "initializer", "fan_in", "fan_out", "decay"];

/**
 * @typedef {object} Slot one of a node's arrays
 * @property {string} name
 * @property {number[]} shape
 * @property {Float32Array} data
 * @property {string} initializer
 * @property {number} fanIn
 * @property {number} fanOut
 *
 * @typedef {object} Node
 * @property {string} name
 * @property {string} op
 * @property {readonly string[]} inputs
 * @property {readonly Shape[]} inputShapes
 * @property {Shape} outputShape
 * @property {"window" | "point" | "all"} sight
 * @property {Window | null} window
 * @property {Record<string, number>} attributes
 * @property {Record<string, Slot>} parameters by short name
 * @property {Record<string, Slot>} buffers
 * @property {number} macs
 * @property {number} layer
 *
 * @typedef {object} Program
 * @property {Shape} inputShape
 * @property {readonly Node[]} nodes
 * @property {string} output the name of the last value, the logits
 */

/**
 * Read a Program; its nodes hold the file's arrays.
 * @param {unknown} data
 * @param {Map<string, {shape: number[], data: Float32Array}>} arrays
 * @returns {Program}
 * @throws {ConvlensError} if anything in it does not fit; the message names the place
 */
export function readProgram(data, arrays) {
  requireKeys(data, PROGRAM_KEYS, "program");
  if (!Array.isArray(data.nodes)) throw new ConvlensError("program.nodes is not a list");
  const inputShape = shapeOf(data.input_shape, "program.input_shape");
  const shapes = new Map([[INPUT, inputShape]]);
  const left = new Map(arrays);
  let room = LARGEST - sizeOf(inputShape);
  const nodes = data.nodes.map((one, position) => {
    const node = readNode(one, `program.nodes[${position}]`, shapes, left);
    room -= memoryOf(node);
    if (room < 0) throw new ConvlensError(`program: its values up to ${node.name} do not fit into a page's memory`);
    shapes.set(node.name, node.outputShape);
    return node;
  });
  if (left.size) throw new ConvlensError(`the array ${shown([...left.keys()][0])} belongs to no node`);
  return Object.freeze({ inputShape, nodes: Object.freeze(nodes), output: nodes.at(-1)?.name ?? INPUT });
}

function readNode(data, where, shapes, arrays) {
  requireKeys(data, NODE_KEYS, where, ["buffers", "macs", "layer"]);
  const { name, op: opName } = data;
  if (typeof name !== "string" || shapes.has(name)) {
    throw new ConvlensError(`${where}.name is ${shown(name)}, and a name of its own is needed`);
  }
  if (typeof opName !== "string" || !Object.hasOwn(OPS, opName)) {
    throw new ConvlensError(`${where} has the unknown op ${shown(opName)}${nearest(String(opName), Object.keys(OPS))}`);
  }
  const op = OPS[opName];
  const node = {
    name,
    op: opName,
    ...readInputs(data, where, shapes, op.inputs),
    outputShape: shapeOf(data.output_shape, `${where}.output_shape`),
    ...readSight(data.sight, `${where}.sight`, op.sight),
    attributes: readAttributes(data.attributes, `${where}.attributes`, op.attributes),
    macs: Number(data.macs ?? 0),
    layer: Number(data.layer ?? 0),
  };
  requireRanks(node, where);
  requireOutput(node, op.outputShape(node), where);
  node.parameters = readSlots(data.parameters, op.parameters(node), `${where}.parameters`, arrays);
  node.buffers = readSlots(data.buffers ?? {}, op.buffers(node), `${where}.buffers`, arrays);
  return Object.freeze(node);
}

function readInputs(data, where, shapes, count) {
  const { inputs, input_shapes: given } = data;
  if (!Array.isArray(inputs) || inputs.length !== count || !Array.isArray(given) || given.length !== count) {
    throw new ConvlensError(`${where} reads ${shown(inputs)}, and ${data.op} reads ${count} value(s)`);
  }
  const inputShapes = given.map((shape, place) => shapeOf(shape, `${where}.input_shapes[${place}]`));
  inputs.forEach((name, place) => {
    if (!shapes.has(name) || !sameShape(shapes.get(name), inputShapes[place])) {
      const what = `${shown(name)} of shape ${shown(given[place])}`;
      throw new ConvlensError(`${where} reads ${what}, which no node before it makes`);
    }
  });
  return { inputs: Object.freeze([...inputs]), inputShapes: Object.freeze(inputShapes) };
}

function readSight(sight, where, wanted) {
  const window = isObject(sight) ? new Window(sight, where) : null;
  if (window ? wanted === "window" : sight === wanted) return { sight: wanted, window };
  throw new ConvlensError(`${where} is ${shown(sight)}, and ${wanted === "window" ? "a window" : wanted} is needed`);
}

function readAttributes(data, where, wanted) {
  requireKeys(data, wanted, where);
  for (const key of wanted) finiteNumber(data[key], `${where}.${key}`);
  return { ...data };
}

/** Refuse a window on a vector, and a dense layer on an image. */
function requireRanks({ sight, inputShapes, outputShape }, where) {
  const rank = { window: 3, all: 1 }[sight];
  if (rank && [...inputShapes, outputShape].some((shape) => shape.length !== rank)) {
    const [found, needed] = rank === 3 ? ["a vector", "an image"] : ["an image", "a vector"];
    throw new ConvlensError(`${where} reads or makes ${found}, and ${needed} is needed`);
  }
}

function requireOutput({ outputShape, inputShapes }, wanted, where) {
  const fits = wanted ? sameShape(outputShape, wanted) : sizeOf(outputShape) === sizeOf(inputShapes[0]);
  const alike = inputShapes.every((shape) => sameShape(shape, inputShapes[0]));
  if (!fits || !alike) {
    throw new ConvlensError(`${where}.output_shape is ${shown(outputShape)}, which its inputs do not give`);
  }
}

/** Return a node's arrays, taken out of those that are left. */
function readSlots(data, wanted, where, arrays) {
  requireKeys(data, Object.keys(wanted), where);
  const found = {};
  for (const [key, shape] of Object.entries(wanted)) {
    requireKeys(data[key], SLOT_KEYS, `${where}.${key}`);
    const { name, initializer, fan_in: fanIn, fan_out: fanOut } = data[key];
    const array = arrays.get(name);
    if (!array) {
      throw new ConvlensError(`${where}.${key}: the file has no array ${shown(name)}, or another node has it`);
    }
    if (!sameShape(array.shape, shape)) {
      throw new ConvlensError(`${name} has shape ${shown(array.shape)}, and ${shown(shape)} is needed`);
    }
    arrays.delete(name);
    found[key] = Object.freeze({ name, shape, data: array.data, initializer, fanIn, fanOut });
  }
  return Object.freeze(found);
}

/** How many values a node keeps: its output, and its input with padding. */
function memoryOf({ window, inputShapes, outputShape }) {
  if (!window) return sizeOf(outputShape);
  const [height, width, channels] = inputShapes[0];
  const { rows, columns } = window;
  return sizeOf(outputShape) + (height + rows[0] + rows[1]) * (width + columns[0] + columns[1]) * channels;
}
