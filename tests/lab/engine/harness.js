/** What the tests call in the page. Arrays arrive and leave as base64. */

import * as attribution from "/engine/attribution.js";
import * as digits from "/engine/digits.js";
import { bothMaps, equivariance } from "/engine/equivariance.js";
import { inputGradient } from "/engine/gradient.js";
import { ConvlensError, Model, copied } from "/engine/index.js";
import { mostActive, strongest } from "/engine/most_active.js";
import { fieldOfUnit, receptiveFields } from "/engine/receptive_field.js";
import { shifted } from "/engine/shift.js";
import { ShiftMaps } from "/engine/shift_maps.js";
import { unitArithmetic } from "/engine/unit.js";

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

  prepareDigit: (grey, size, shape, box) => plain(digits.prepareDigit(grey, size, shape, box)),
  fromCanvas: (rgba, size) => digits.inkOfCanvas({ data: rgba, width: size[1], height: size[0] }),

  async shiftMaps(files, pixels, reach) {
    const maps = new ShiftMaps();
    await Promise.all(Object.entries(files).map(([key, file]) => maps.add(key, file)));
    const parts = [];
    const done = await maps.draw(Object.keys(files), pixels, { reach, part: (part) => parts.push(plain(part)) });
    maps.close();
    return { parts, done };
  },

  /** Two drawings, the second begun while the first is under way; and what the worker says to a file that is no model. */
  async newerMaps(file, pixels) {
    const maps = new ShiftMaps();
    await maps.add("a", file);
    const parts = { first: 0, late: 0, second: 0 };
    let newer;
    const first = maps.draw(["a"], pixels, {
      reach: 8,
      part: () => {
        newer ? parts.late++ : parts.first++;
        newer ??= maps.draw(["a"], pixels, { reach: 8, part: ({ offsets }) => (parts.second += offsets.length) });
      },
    });
    const done = [await first, await newer];
    const refused = await maps.add("b", file.slice(0, 100)).catch((error) => error.message);
    maps.close();
    return { parts, done, refused };
  },
};

const USES = {
  classNames: (model) => [...model.classNames],
  forward: (model, x) => copied(model.forward(x)),
  forwardAll: (model, images, names) => model.forwardAll(images, names),
  bothMaps: (model, x, shift, error) => bothMaps(model, x, shift, error),
  gradient: (model, x, unit, node) => inputGradient(model, x, unit, node),
  shifted: (model, x, dy, dx) => shifted(x, model.inputShape, dy, dx, 0),
  equivariance: (model, x, shift) => equivariance(model, x, shift),
  fields: (model) => receptiveFields(model.program),
  field: (model, node, place) => fieldOfUnit(model.program, node, place),
  unit: (model, x, node, place) => unitArithmetic(model, model.forward(x), node, place),
  attribution: (model, x, method, unit, options) => attribution.METHODS[method](model, x, unit, options),
  checked: (model, x, method, unit, options) => attribution.withCheck(model, x, method, unit, options),
  mostActive: (model, images, node, count) => {
    const found = images.map((x) => strongest(model.forward(x).get(node)));
    return [...found[0].values.keys()].map((k) => mostActive(found, k, count));
  },
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
