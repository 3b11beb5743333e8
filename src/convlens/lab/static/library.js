/** The models and digits that the page knows, loaded when they are first needed; and files that were dropped on it. */

import { ConvlensError, Model } from "./engine/index.js";
import { LARGEST_FILE } from "./engine/safetensors.js";
import { SIDE } from "./drawing.js";
import { useEffect, useState } from "./view.js";

/**
 * @typedef {object} Entry a model of the catalogue
 * @property {string} name
 * @property {string} title
 * @property {string} about
 * @property {number} parameters
 * @property {string} address
 * @property {number} bytes
 * @property {ArrayBuffer | Promise<ArrayBuffer>} [content]
 * @property {boolean} [trained] in the room Train
 */

/** What the page was told at its start: see `site.py`. */
export const catalogue = { live: false, version: "", models: [], digits: null, snapshots: null, recordings: [] };

/** @type {Map<string, Promise<Model>>} */
const loading = new Map();
/** @type {Map<string, Model | Error>} */
const loaded = new Map();
const listeners = new Set();

/** Read the catalogue. */
export async function start() {
  Object.assign(catalogue, await (await fetched("api/lab.json")).json());
  const { models = [], title, about, parameters } = catalogue.snapshots ?? {};
  for (const one of models) {
    const step = one.step.toLocaleString("en");
    Object.assign(one, { name: `step-${one.step}`, title: `${title}, step ${step}`, about, parameters });
  }
  if (catalogue.live) await findTrained();
}

/** Models that were trained in this lab, so that a link to one is good in every room. */
async function findTrained() {
  let found;
  try {
    found = await (await fetched("api/trainings")).json();
  } catch {
    return; // the room Train will say why
  }
  for (const { name, number, configuration, start: begun, model: size } of found.trainings) {
    if (!size || !configuration) continue;
    const title = `Training ${number}${configuration.title ? `: ${configuration.title}` : ""}`;
    offer({
      name: `training:${name}`, title, about: "trained in this lab", parameters: begun?.parameters ?? 0, trained: true,
      address: `api/trainings/${name}/model`,
    });
  }
}

/** Add a model to the catalogue; one of its name is replaced, and loaded anew when it is next needed. @param {Entry} one */
export function offer(one) {
  catalogue.models = [...catalogue.models.filter((other) => other.name !== one.name), one];
  loading.delete(one.name);
  loaded.delete(one.name);
}

/** All models by name: of the catalogue, dropped ones, and the snapshots. */
export const entries = () => [...catalogue.models, ...(catalogue.snapshots?.models ?? [])];

/** @param {string} name @returns {Entry | undefined} */
export const entry = (name) => entries().find((one) => one.name === name);

/**
 * Load a model.
 * @param {string} name
 * @returns {Promise<Model>}
 */
export function model(name) {
  if (!loading.has(name)) {
    const found = load(name);
    loading.set(name, found);
    found.then(
      (one) => settle(name, one),
      (error) => {
        loading.delete(name); // tried again when it is asked for again
        settle(name, error);
      },
    );
  }
  return loading.get(name);
}

/** The bytes of a model's file, for it and for workers. @param {string} name @returns {Promise<ArrayBuffer>} */
export async function bytes(name) {
  const found = entry(name);
  if (!found) throw missing(name);
  found.content ??= fetched(found.address).then((answer) => answer.arrayBuffer());
  try {
    return await found.content;
  } catch (error) {
    delete found.content; // fetched again when it is asked for again
    throw error;
  }
}

async function load(name) {
  const found = entry(name);
  if (!found) throw missing(name);
  return Model.fromBytes(await bytes(name), found.file ?? `${found.title}'s file`);
}

function missing(name) {
  return new ConvlensError(`there is no model ${name} here; if it was a file of yours, open it again`);
}

function settle(name, outcome) {
  loaded.set(name, outcome);
  for (const listener of listeners) listener();
}

/**
 * Models that are there, by name; the others are being loaded, or have an error.
 * @param {string[]} names
 * @returns {(Model | Error | undefined)[]}
 */
export function useModels(names) {
  const [, again] = useState(0);
  useEffect(() => {
    const listener = () => again((n) => n + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  useEffect(() => {
    loadInOrder(names);
  }, [names.join()]);
  return names.map((name) => loaded.get(name));
}

/** One after the other, so that the first can be used while the others are on their way. */
async function loadInOrder(names) {
  for (const name of names) {
    try {
      await model(name);
    } catch {
      // kept, and shown where the model would be
    }
  }
}

/**
 * Add a model's file of the user's own.
 * @param {File} file
 * @returns {Promise<string>} its name here
 * @throws {ConvlensError} a sentence, if it cannot be one
 */
export async function addFile(file) {
  const content = await contentOf(file);
  const found = await Model.fromBytes(content, file.name);
  const title = file.name.replace(/\.safetensors$/, "");
  // A link cannot hold the file: the comma separates names there, and the colon marks what has to be opened again.
  const name = `file:${title.replaceAll(",", " ")}`;
  const one = { name, title, about: "your file", file: file.name, parameters: found.parameterCount, content };
  catalogue.models = [...catalogue.models.filter((other) => other.name !== name), one];
  loading.set(name, Promise.resolve(found));
  settle(name, found);
  return name;
}

/** The bytes of a file that can be a model's; a huge one is refused before it is read. */
async function contentOf(file) {
  if (file.size > LARGEST_FILE) {
    const [size, most] = [file.size, LARGEST_FILE].map((one) => Math.round(one / 2 ** 20));
    throw new ConvlensError(`${file.name} has ${size} MB, and the page opens models of up to ${most} MB`);
  }
  try {
    return await file.arrayBuffer();
  } catch (error) {
    throw new ConvlensError(`${file.name} cannot be read (${error.message}); choose a file, not a folder`);
  }
}

let digits = null;

/**
 * The test digits that come with the page.
 * @returns {Promise<{pixels: Uint8Array, label: number, index: number}[]>}
 */
export function testDigits() {
  if (!catalogue.digits) return Promise.resolve([]);
  digits ??= (async () => {
    const { address, labels, indexes } = catalogue.digits;
    const all = new Uint8Array(await (await fetched(address)).arrayBuffer());
    const size = SIDE * SIDE;
    return labels.map((label, i) => ({ pixels: all.subarray(i * size, (i + 1) * size), label, index: indexes[i] }));
  })();
  return digits;
}

async function fetched(address) {
  let answer;
  try {
    answer = await fetch(address);
  } catch {
    throw new ConvlensError("the lab does not answer; start it again with: convlens lab");
  }
  if (!answer.ok) throw new ConvlensError(`the lab has nothing at ${address} (${answer.status}); start it again`);
  return answer;
}
