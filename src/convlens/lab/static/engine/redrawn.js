/** A Program with new weights, drawn from the distributions that its file names. The draws are not convlens's own. */

import { shown } from "./checks.js";
import { ConvlensError } from "./errors.js";
import { nearest } from "./names.js";
import { normal, uniform } from "./random.js";

const he = (slot) => Math.sqrt(2 / slot.fanIn);
const glorot = (slot) => Math.sqrt(2 / (slot.fanIn + slot.fanOut));
// a uniform distribution on (-a, a) has variance a * a / 3
const flat = (draw) => () => Math.sqrt(3) * (2 * draw() - 1);

/** @type {Record<string, (slot: import("./program.js").Slot, draw: () => number) => () => number>} */
const INITIALIZERS = {
  he_normal: (slot, draw) => scaled(he(slot), normal(draw)),
  he_uniform: (slot, draw) => scaled(he(slot), flat(draw)),
  glorot_normal: (slot, draw) => scaled(glorot(slot), normal(draw)),
  glorot_uniform: (slot, draw) => scaled(glorot(slot), flat(draw)),
  zeros: () => () => 0,
  ones: () => () => 1,
};

const scaled = (deviation, draw) => () => deviation * draw();

/**
 * @param {import("./program.js").Program} program
 * @param {number} seed
 * @returns {import("./program.js").Program}
 */
export function redrawn(program, seed) {
  const again = (slots) => Object.fromEntries(Object.entries(slots).map(([key, slot]) => [key, drawn(slot, seed)]));
  const nodes = program.nodes.map((node) => ({
    ...node,
    parameters: again(node.parameters),
    buffers: again(node.buffers),
  }));
  return { ...program, nodes };
}

function drawn(slot, seed) {
  if (!Object.hasOwn(INITIALIZERS, slot.initializer)) {
    const known = nearest(String(slot.initializer), Object.keys(INITIALIZERS));
    throw new ConvlensError(`${slot.name} has the unknown initialiser ${shown(slot.initializer)}${known}`);
  }
  const next = INITIALIZERS[slot.initializer](slot, uniform(seed, slot.name));
  return { ...slot, data: slot.data.map(next) };
}
