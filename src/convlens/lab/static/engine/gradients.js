/** Runs a Program backwards: the derivative of one of its values with respect to those before it. */

import { sizeOf } from "./checks.js";
import { BACKWARD } from "./backward/index.js";
import { ConvlensError } from "./errors.js";
import { arraysOf } from "./interpreter.js";

export class Gradients {
  /**
   * @param {import("./program.js").Program} program
   * @param {Map<string, import("./interpreter.js").Value>} values of the forward pass, in place
   */
  constructor(program, values) {
    const flow = ([name, { shape }]) => [name, { shape, data: new Float64Array(sizeOf(shape)) }];
    /** @type {Map<string, {shape: number[], data: Float64Array}>} */
    this.flows = new Map([...values].map(flow));
    this.steps = program.nodes.map((node) => {
      const run = BACKWARD[node.op](node, arraysOf(node));
      const inputs = node.inputs.map((name) => values.get(name).data);
      const dinputs = node.inputs.map((name) => this.flows.get(name).data);
      const [dy, y] = [this.flows.get(node.name).data, values.get(node.name).data];
      return { name: node.name, run: () => run(dy, dinputs, inputs, y) };
    });
  }

  /**
   * The derivative of sum over values v of weights[v] * v. Where several nodes read a value, their gradients add up.
   * @param {string} start whose values they are
   * @param {ArrayLike<number>} weights
   * @returns {Map<string, {shape: number[], data: Float64Array}>} by name; 0 for what it does not depend on
   */
  run(start, weights) {
    const first = this.flows.get(start).data;
    if (weights.length !== first.length) {
      throw new ConvlensError(`${start} has ${first.length} values, and there are ${weights.length} weights`);
    }
    for (const { data } of this.flows.values()) data.fill(0);
    first.set(weights);
    const last = this.steps.findIndex((step) => step.name === start);
    for (let at = last; at >= 0; at--) this.steps[at].run();
    return this.flows;
  }
}
