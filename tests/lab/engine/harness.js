/** What the tests call in the page. Arrays arrive and leave as base64. */

import { inputGradient } from "/engine/gradient.js";
import { ConvlensError, Model, copied } from "/engine/index.js";

const FUNCTIONS = {
  /** Every value, the logits' probabilities, and the input gradient of a weighted sum of a node's values. */
  async everything(examples) {
    const found = [];
    for (const { file, x, node, weights } of examples) {
      const model = await Model.fromBytes(file);
      const values = copied(model.forward(x));
      found.push({
        values: Object.fromEntries([...values].map(([name, value]) => [name, value.data])),
        shapes: Object.fromEntries([...values].map(([name, value]) => [name, value.shape])),
        probabilities: model.probabilities(x),
        gradient: inputGradient(model, x, weights, node),
      });
    }
    return found;
  },

  /** The sentence with which each file is refused; "" if it is not, and anything that is no sentence fails. */
  async refusals(files) {
    const found = [];
    for (const file of files) {
      try {
        await Model.fromBytes(file, "model.safetensors");
        found.push("");
      } catch (error) {
        if (!(error instanceof ConvlensError)) throw error;
        found.push(error.message);
      }
    }
    return found;
  },

  async run(file, use, ...given) {
    const model = await Model.fromBytes(file);
    try {
      return { found: plain(await USES[use](model, ...given)) };
    } catch (error) {
      if (!(error instanceof ConvlensError)) throw error;
      return { refused: error.message };
    }
  },
};

const USES = {
  classNames: (model) => [...model.classNames],
  forward: (model, x) => copied(model.forward(x)),
  gradient: (model, x, unit, node) => inputGradient(model, x, unit, node),
  redrawn: (model, seed) => {
    const slots = model.redrawn(seed).nodes.flatMap((node) => Object.values(node.parameters));
    return Object.fromEntries(slots.map((slot) => [slot.name, slot.data]));
  },
};

/** Maps become objects, so that they can travel. */
function plain(value) {
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object" && !ArrayBuffer.isView(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  }
  return value;
}

export async function call(name, given) {
  return toPython(await FUNCTIONS[name](...fromPython(given)));
}

const TYPES = { Uint8Array, Uint8ClampedArray, Int8Array, Int32Array, Float32Array, Float64Array };

function fromPython(value) {
  if (Array.isArray(value)) return value.map(fromPython);
  if (value === null || typeof value !== "object") return value;
  if ("base64" in value) return new TYPES[value.type](bytesOf(value.base64));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fromPython(one)]));
}

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

function toPython(value) {
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    const pieces = [];
    for (let at = 0; at < bytes.length; at += 8192) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
    return { base64: btoa(pieces.join("")), type: value.constructor.name };
  }
  if (Array.isArray(value)) return value.map(toPython);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, toPython(one)]));
}
