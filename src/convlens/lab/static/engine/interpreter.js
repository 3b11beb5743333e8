/** Runs a Program on one image, and keeps every value. */

import { sizeOf } from "./checks.js";
import { OPS } from "./ops/index.js";
import { INPUT } from "./program.js";

/**
 * @typedef {object} Value
 * @property {import("./checks.js").Shape} shape
 * @property {Float32Array} data
 */

export class Interpreter {
  /** @param {import("./program.js").Program} program */
  constructor(program) {
    const value = (shape) => Object.freeze({ shape, data: new Float32Array(sizeOf(shape)) });
    /** @type {Map<string, Value>} every value by name; the next run overwrites them */
    this.values = new Map([[INPUT, value(program.inputShape)]]);
    this.steps = [];
    for (const node of program.nodes) {
      const run = OPS[node.op].forward(node, arraysOf(node));
      const inputs = node.inputs.map((name) => this.values.get(name).data);
      const y = value(node.outputShape);
      this.values.set(node.name, y);
      this.steps.push(() => run(inputs, y.data));
    }
  }

  /** Compute every value from the one named "input", which the caller has written. */
  run() {
    for (const step of this.steps) step();
  }
}

/**
 * A node's arrays by short name: parameters and buffers.
 * @param {import("./program.js").Node} node
 * @returns {Record<string, Float32Array>}
 */
export function arraysOf(node) {
  const slots = Object.entries({ ...node.parameters, ...node.buffers });
  return Object.fromEntries(slots.map(([key, slot]) => [key, slot.data]));
}
