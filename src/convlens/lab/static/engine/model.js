/** A saved model, ready to run. */

import { sameShape, shown, sizeOf } from "./checks.js";
import { ConvlensError } from "./errors.js";
import { Gradients } from "./gradients.js";
import { Interpreter } from "./interpreter.js";
import { nearest } from "./names.js";
import { softmax } from "./ops/softmax.js";
import { Preprocessing } from "./preprocessing.js";
import { INPUT, readProgram } from "./program.js";
import { redrawn } from "./redrawn.js";
import { readArtifact } from "./safetensors.js";

/** @typedef {Uint8Array | Uint8ClampedArray | Float32Array} Pixels bytes 0 to 255; floats are the network's input */
/** @typedef {import("./interpreter.js").Value} Value */

export class Model {
  #interpreter;
  #gradients = null;

  /**
   * Use `Model.fromBytes`.
   * @param {import("./program.js").Program} program
   * @param {Preprocessing} preprocessing
   * @param {Record<string, any>} header
   */
  constructor(program, preprocessing, header) {
    this.program = program;
    this.preprocessing = preprocessing;
    /** The file's header: `training`, `intake`, `layers` and so on. */
    this.header = header;
    /** @type {readonly string[]} a name for each logit */
    this.classNames = Object.freeze([...header.class_names]);
    this.inputShape = program.inputShape;
    this.nodes = program.nodes;
    this.#interpreter = new Interpreter(program);
  }

  /**
   * Read a saved model.
   * @param {ArrayBuffer | Uint8Array} content of the file
   * @param {string} [name] how messages call it
   * @returns {Promise<Model>}
   * @throws {ConvlensError} a sentence, if it is damaged, foreign, too large, a checkpoint, or of a later version
   */
  static async fromBytes(content, name = "this file") {
    const { header, arrays } = await readArtifact(content, name);
    if (header.program === undefined) {
      throw new ConvlensError(
        `${name} was saved by an early convlens, without its Program; read it and save it again: ` +
          "convlens.nn.load(path).save(path)",
      );
    }
    try {
      const preprocessing = new Preprocessing(header.preprocessing);
      const program = readProgram(header.program, arrays);
      requireFit(program, preprocessing, header.class_names);
      return new Model(program, preprocessing, header);
    } catch (error) {
      if (!(error instanceof ConvlensError)) throw error;
      throw new ConvlensError(`${name} is damaged: its header does not describe a model (${error.message})`);
    }
  }

  /** Number of classes. */
  get classes() {
    return this.classNames.length;
  }

  /** Number of trained values. */
  get parameterCount() {
    const slots = this.nodes.flatMap((node) => Object.values(node.parameters));
    return slots.reduce((count, slot) => count + sizeOf(slot.shape), 0);
  }

  /**
   * The node of a name; an error names the nearest.
   * @param {string} name
   * @returns {import("./program.js").Node}
   */
  node(name) {
    const found = this.nodes.find((one) => one.name === name);
    if (found) return found;
    const known = this.nodes.map((one) => one.name);
    throw new ConvlensError(`the model has no node ${shown(name)}${nearest(String(name), known)}`);
  }

  /**
   * Run the network on one image and return every value by name, "input" included. The next call overwrites them: copy
   * what must last (`copied`).
   * @param {Pixels} pixels
   * @returns {Map<string, Value>}
   */
  forward(pixels) {
    const { values } = this.#interpreter;
    this.preprocessing.fill(pixels, values.get(INPUT).data);
    this.#interpreter.run();
    return values;
  }

  /**
   * Run the network on several images, one after the other, and return copies of the values that are asked for.
   * @param {Pixels[]} images
   * @param {string[]} [names] of nodes; all values if left out
   * @returns {Map<string, Value>[]} of each image
   */
  forwardAll(images, names) {
    return images.map((pixels) => copied(this.forward(pixels), names));
  }

  /**
   * @param {Pixels} pixels
   * @returns {Float32Array} a score for each class
   */
  logits(pixels) {
    return this.forward(pixels).get(this.program.output).data.slice();
  }

  /**
   * @param {Pixels} pixels
   * @returns {Float32Array} a probability for each class
   */
  probabilities(pixels) {
    const found = softmax(this.logits(pixels));
    if (found.every(Number.isFinite)) return found;
    throw new ConvlensError("the network's output is not finite; its input, or its weights, are far too large");
  }

  /**
   * The derivative of a weighted sum of a node's values with respect to every value that it depends on. `forward` must
   * have run; its values must not have been overwritten since.
   * @param {string} name of the node
   * @param {ArrayLike<number>} weights one for each of its values
   * @returns {Map<string, {shape: number[], data: Float64Array}>} by name; the next call overwrites them
   */
  backward(name, weights) {
    this.#gradients ??= new Gradients(this.program, this.#interpreter.values);
    return this.#gradients.run(this.node(name).name, weights);
  }

  /**
   * The same network with other weights, drawn as before a training: what an attribution is checked against.
   * @param {number} [seed]
   * @returns {Model}
   */
  redrawn(seed = 0) {
    return new Model(redrawn(this.program, seed), this.preprocessing, this.header);
  }
}

/**
 * Copies of values, which later calls leave alone.
 * @param {Map<string, Value>} values
 * @param {string[]} [names] all if left out
 * @returns {Map<string, Value>}
 */
export function copied(values, names = [...values.keys()]) {
  const copy = (name) => ({ shape: values.get(name).shape, data: values.get(name).data.slice() });
  return new Map(names.map((name) => [name, copy(name)]));
}

function requireFit(program, preprocessing, classNames) {
  if (!sameShape(program.inputShape, preprocessing.inputShape)) {
    throw new ConvlensError("program and preprocessing have different input shapes");
  }
  if (!Array.isArray(classNames) || !classNames.every((name) => typeof name === "string")) {
    throw new ConvlensError(`class_names is ${shown(classNames)}, and a list of names is needed`);
  }
  const shape = program.nodes.at(-1)?.outputShape ?? program.inputShape;
  if (shape.length !== 1 || shape[0] !== classNames.length) {
    throw new ConvlensError(`there are ${classNames.length} class names for an output of shape ${shown(shape)}`);
  }
}
