/** What is to be trained: the part of the view that the left side of the room edits, kept in the address. */

import * as state from "../state.js";
import { ask } from "./trainings.js";

/**
 * @typedef {object} Plan
 * @property {object[]} layers
 * @property {string} base the recipe that the settings change
 * @property {object} changes of the recipe
 * @property {string} data
 * @property {object} reading of a folder of images: `resize`, `skip_broken`
 * @property {number} share of the training images
 * @property {number} seeds how many
 * @property {number} seed the first of them
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
  base: "good", changes: { epochs: 1 }, data: "mnist", reading: {}, share: 1, seeds: 1, seed: 0, title: "", stop: {},
};
export const MOST_SEEDS = 20;

state.declare({
  plan: { initial: FIRST, parse: parsed, format: (plan) => JSON.stringify(plan) },
  training: state.text(""),
  // The step after which the training is looked at; none: the last one
  after: state.number(null, 0, 1e9),
  // Row and column of the confusion matrix whose images are shown
  cell: state.numbers(null, 2, 999),
  zoom: state.choice("", ["top"]),
  // Trainings that the plots leave out
  hidden: state.list([]),
});

/** A plan from an address that anybody may have written: its form is checked here, what it says by the server. */
function parsed(text) {
  try {
    const whole = { ...FIRST, ...JSON.parse(text) };
    const kinds = Object.entries(FIRST).every(([key, value]) => typeof whole[key] === typeof value && whole[key] !== null);
    const whole_numbers = Number.isInteger(whole.seed) && Number.isInteger(whole.seeds) && whole.seeds >= 1 && whole.seeds <= MOST_SEEDS;
    return kinds && whole_numbers && areLayers(whole.layers) ? whole : undefined;
  } catch {
    return undefined;
  }
}

function areLayers(given) {
  return Array.isArray(given) && given.every((one) => typeof one?.layer === "string" && (one.layers === undefined || areLayers(one.layers)));
}

export const plan = () => state.get("plan");

/** Change the plan; a large step is one that the browser's Back undoes. @param {Partial<Plan>} changes */
export function change(changes, step = false) {
  state.set({ plan: { ...plan(), ...changes } }, step);
}

/** A plan as the server takes it. */
export function asked({ layers, base, changes, data, reading, share, seeds, seed, title, stop }) {
  return {
    ...reading, layers, data, share, title, stop, recipe: { base, ...changes }, seeds: Array.from({ length: seeds }, (_, i) => seed + i),
  };
}

let known = null;

/** What can be chosen, asked of the server once. */
export async function choices() {
  known ??= ask("/choices");
  try {
    return await known;
  } catch (error) {
    known = null;
    throw error;
  }
}

/** The plan of a training that was started, with one seed. */
export function planOf({ layers, recipe, data, resize, skip_broken, share, seed, title, stop }, { recipes }) {
  const base = Object.hasOwn(recipes, recipe.name) ? recipe.name : FIRST.base;
  const differs = ([key, value]) => key !== "name" && JSON.stringify(value) !== JSON.stringify(recipes[base][key]);
  const changes = Object.fromEntries(Object.entries(recipe).filter(differs).map(([key, value]) => [key, value ?? "none"]));
  const reasons = Object.fromEntries(Object.entries(stop).filter(([, value]) => value !== null));
  const reading = { ...(resize && { resize }), ...(skip_broken && { skip_broken }) };
  return { layers, base, changes, data, reading, share, seeds: 1, seed, title, stop: reasons };
}

/** The training that was just begun here: where the page goes once it is there. */
export const begun = { name: "" };

/** Start what is planned. */
export async function begin({ paused }) {
  const { names } = await ask("", { method: "POST", body: { ...asked(plan()), paused } });
  begun.name = names[0];
  look(names[0]);
}

/** Look at a training, as it is now. */
export const look = (training) => state.set({ training, after: null, cell: null });
