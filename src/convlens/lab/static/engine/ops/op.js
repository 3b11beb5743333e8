/**
 * What an op is. Each file of this folder is one, named as in docs/format.md and in `convlens.ops`.
 *
 * @typedef {import("../program.js").Node} Node
 * @typedef {import("../checks.js").Shape} Shape
 *
 * @typedef {object} Op
 * @property {number} inputs how many values it reads
 * @property {"window" | "point" | "all"} sight
 * @property {string[]} attributes the keys of a node's `attributes`
 * @property {(node: Node) => Shape | null} outputShape what must come out; null: any shape of as many values
 * @property {(node: Node) => Record<string, Shape>} parameters the shapes of its trained arrays, by short name
 * @property {(node: Node) => Record<string, Shape>} buffers likewise, running statistics
 * @property {(node: Node, arrays: Record<string, Float32Array>) => Forward} forward bind a node to its memory
 *
 * @callback Forward computes y for one image
 * @param {Float32Array[]} inputs
 * @param {Float32Array} y
 * @returns {void}
 *
 * @callback Backward adds to dinputs what dy sends back; `inputs` and `y` are those of the forward pass
 * @param {Float64Array} dy
 * @param {Float64Array[]} dinputs
 * @param {Float32Array[]} inputs
 * @param {Float32Array} y
 * @returns {void}
 */

const nothing = () => ({});

/**
 * An op of one value at a time, without arrays.
 * @param {() => Forward} forward
 * @returns {Op}
 */
export function pointwise(forward, { inputs = 1, attributes = [] } = {}) {
  const outputShape = (node) => node.inputShapes[0];
  return { inputs, sight: "point", attributes, outputShape, parameters: nothing, buffers: nothing, forward };
}

/**
 * An op of a window without arrays, channel by channel.
 * @param {(node: Node) => Forward} forward
 * @returns {Op}
 */
export function pooling(forward) {
  const outputShape = (node) => [...windowed(node), node.inputShapes[0][2]];
  return { inputs: 1, sight: "window", attributes: [], outputShape, parameters: nothing, buffers: nothing, forward };
}

/**
 * An op of a window with a weight and a bias for each output channel.
 * @param {(node: Node) => Record<string, Shape>} parameters
 * @param {(node: Node, arrays: Record<string, Float32Array>) => Forward} forward
 * @returns {Op}
 */
export function connecting(parameters, forward) {
  const outputShape = (node) => [...windowed(node), node.outputShape[2]];
  return { inputs: 1, sight: "window", attributes: [], outputShape, parameters, buffers: nothing, forward };
}

function windowed(node) {
  const [height, width] = node.inputShapes[0];
  return node.window.outputSize(height, width, node.name);
}
