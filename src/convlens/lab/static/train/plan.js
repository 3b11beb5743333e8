/** What is to be trained: the part of the view that the left side of the room edits, kept in the address. */

import * as state from "../state.js";
import { ask } from "./trainings.js";

/**
 * @typedef {object} Plan
 * @property {object[]} layers
 * @property {string} base the recipe that the settings change
 * @property {object} changes of the recipe
 * @property {string} data
 * @property {number} share of the training images
 * @property {number} seeds how many
 * @property {string} title
 * @property {object} stop
 */

/** The CNN of the package, one epoch. @type {Plan} */
export const FIRST = {
  layers: [
    { layer: "Conv2D", filters: 16 }, { layer: "ReLU" }, { layer: "MaxPool2D" },
    { layer: "Conv2D", filters: 32 }, { layer: "ReLU" }, { layer: "MaxPool2D" },
    { layer: "Flatten" }, { layer: "Dense", units: 128 }, { layer: "ReLU" },
    { layer: "Dense", units: 10, kernel_initializer: "glorot_uniform" },
  ],
  base: "good", changes: { epochs: 1 }, data: "mnist", share: 1, seeds: 1, title: "", stop: {},
};

state.declare({
  plan: { initial: FIRST, parse: parsed, format: (plan) => JSON.stringify(plan) },
  training: state.text(""),
});

function parsed(text) {
  try {
    const found = JSON.parse(text);
    const whole = { ...FIRST, ...found };
    const kinds = Object.entries(FIRST).every(([key, value]) => typeof whole[key] === typeof value && whole[key] !== null);
    return kinds && Array.isArray(whole.layers) ? whole : undefined;
  } catch {
    return undefined;
  }
}

export const plan = () => state.get("plan");

/** @param {Partial<Plan>} changes */
export function change(changes) {
  state.set({ plan: { ...plan(), ...changes } });
}

/** Start what is planned; its seeds are 0, 1, 2 and so on. */
export async function begin({ paused }) {
  const { layers, base, changes, data, share, seeds, title, stop } = plan();
  const body = {
    layers, data, share, title, stop, paused, recipe: { base, ...changes }, seeds: Array.from({ length: seeds }, (_, i) => i),
  };
  const { names } = await ask("", { method: "POST", body });
  state.set({ training: names[0] });
}
