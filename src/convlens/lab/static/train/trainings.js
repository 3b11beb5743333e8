/** All trainings that the server knows, followed live in one stream; or those that were recorded, where no server is. */

import { announce } from "../announce.js";
import { ConvlensError } from "../engine/index.js";
import { catalogue, offer } from "../library.js";
import { useEffect, useState } from "../view.js";
import { percent } from "../words.js";

/**
 * @typedef {object} Training
 * @property {string} name
 * @property {string} title
 * @property {number | null} number
 * @property {string} group what seeds of one configuration share
 * @property {object} configuration
 * @property {string} state
 * @property {string} why
 * @property {object | null} start
 * @property {number} step
 * @property {number[][]} points step, loss, accuracy
 * @property {object[]} epochs what validation said
 * @property {{step: number, filters: number[][][][]}[]} filters
 * @property {object} now the last event of progress
 * @property {boolean} recorded
 */

const RETRY = 1000; // ms

/** @type {Map<string, Training>} */
const known = new Map();
const listeners = new Set();
let source = null;
let cursor = "";
let timer = 0;
let reachable = true;
let refusal = ""; // why the lab answers, but not this page
let heard = false;
let version = 0;

/** Follow all trainings while a component is there. */
export function useTrainings() {
  const [, again] = useState(0);
  useEffect(() => {
    const listener = () => again((n) => n + 1);
    listeners.add(listener);
    if (listeners.size === 1) follow();
    return () => {
      listeners.delete(listener);
      if (!listeners.size) leave();
    };
  }, []);
  return { trainings: [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), reachable, refusal, heard, version };
}

function changed() {
  version += 1;
  for (const listener of listeners) listener();
}

async function follow() {
  if (!catalogue.live) {
    await recorded();
    return;
  }
  document.addEventListener("visibilitychange", look);
  connect();
}

function leave() {
  document.removeEventListener("visibilitychange", look);
  disconnect();
}

/** A browser has few connections for all its tabs: one that is hidden gives its own back. */
function look() {
  if (document.hidden) disconnect();
  else if (!source) connect();
}

function disconnect() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

function connect() {
  disconnect();
  source = new EventSource(`api/trainings/events?after=${encodeURIComponent(cursor)}`);
  source.addEventListener("news", (event) => {
    cursor = event.lastEventId;
    if (!reachable) announce("The lab answers again");
    take(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    disconnect();
    if (reachable) announce("The lab does not answer");
    reachable = false;
    changed();
    timer = setTimeout(connect, RETRY);
    explain();
  });
}

/** Find out why the stream ended, which it does not say itself: the lab is gone, or it refuses. */
async function explain() {
  const words = await ask("").then(() => "", (error) => error.message);
  refusal = words === SILENT ? "" : words;
  changed();
}

function take({ changes, gone }) {
  const first = !heard;
  [reachable, refusal, heard] = [true, "", true];
  for (const name of gone) known.delete(name);
  for (const { name, begin, events } of changes) {
    const before = known.get(name);
    const was = before?.state;
    const training = begin === 0 || !before ? blank(name) : before;
    known.set(name, training);
    for (const event of events) fold[event.kind]?.(training, event);
    if (!first && was !== training.state) announce(`${training.title} is ${training.state}. ${training.why}`);
    if (training.hasModel) offerModel(training);
  }
  changed();
}

/** @returns {Training} */
function blank(name) {
  return {
    name, title: "", number: null, group: "", configuration: null, state: "waiting", why: "", start: null, step: 0,
    points: [], epochs: [], filters: [], now: {}, recorded: false, hasModel: false, modelStep: -1,
  };
}

/** What each kind of event changes. */
const fold = {
  created(training, { number, configuration, group, at }) {
    Object.assign(training, { number, configuration, group, at, title: `Training ${number}` });
    if (configuration.title) training.title += `: ${configuration.title}`;
  },
  extended(training, { configuration, group }) {
    Object.assign(training, { configuration, group });
  },
  state(training, { state, why }) {
    Object.assign(training, { state, why });
    if (state === "paused" || state === "finished") training.hasModel = true;
    if (state !== "running") training.now = { ...training.now, images_per_second: null, seconds_left: null };
  },
  // Taken up again after a crash, a training repeats the steps since it was last saved
  start(training, event) {
    training.start = event;
    training.step = event.step;
    training.points = training.points.filter(([step]) => step <= event.step);
    training.epochs = training.epochs.filter((row) => row.step <= event.step && row.steps === undefined);
    training.filters = training.filters.filter((one) => one.step <= event.step);
  },
  progress(training, event) {
    training.points.push(...event.points);
    training.step = event.step;
    training.now = { ...training.now, ...event };
  },
  epoch(training, event) {
    training.epochs.push(event);
    training.hasModel = true;
  },
  filters(training, event) {
    training.filters.push({ step: event.step, filters: event.filters });
  },
};

/** Let the other rooms use the model of a training. */
function offerModel(training) {
  if (training.modelStep === training.step && training.state !== "finished") return;
  training.modelStep = training.step;
  offer(modelEntry(training.name, training.title, training.start?.parameters ?? 0));
}

/** @returns {import("../library.js").Entry} */
export function modelEntry(name, title, parameters) {
  return {
    name: `training:${name}`, title, about: "trained in this lab", parameters, trained: true,
    address: `api/trainings/${name}/model`,
  };
}

async function recorded() {
  for (const one of catalogue.recordings ?? []) {
    const found = await (await fetch(one.address)).json();
    for (const run of found.runs) known.set(`${one.name}-${run.seed}`, fromRecording(one, run));
    heard = true;
    changed();
  }
}

function fromRecording(one, run) {
  const { step, loss, accuracy } = run.curve;
  const steps = step.at(-1);
  const perEpoch = steps / one.recipe.epochs;
  return {
    ...blank(`${one.name}-${run.seed}`),
    title: `${one.title}, seed ${run.seed}`,
    about: one.about,
    command: one.command.replace(/--seed \d+/, `--seed ${run.seed}`),
    group: one.name,
    configuration: { recipe: one.recipe, seed: run.seed, data: "mnist", share: 1, title: one.title, layers: null },
    state: "finished",
    start: { steps, epoch_steps: perEpoch, parameters: one.parameters, flops: one.flops, classes: CLASSES, step: 0 },
    step: steps,
    points: step.map((at, i) => [at, loss[i], accuracy[i]]),
    epochs: run.states.map((state) => ({ ...state, epoch: state.step / perEpoch })),
    filters: run.states.filter((state) => state.filters).map((state) => ({ step: state.step, filters: state.filters })),
    recorded: true,
  };
}

const CLASSES = [..."0123456789"];

/** What `ask` says where the page's own stream of news will say it too. */
export const SILENT = "the lab does not answer; start it again with: convlens lab";

/**
 * Ask the server; its refusal becomes an error with its words.
 * @param {string} path below api/trainings
 */
export async function ask(path, { method = "GET", body, signal } = {}) {
  let refusal;
  try {
    const answer = await fetch(`api/trainings${path}`, {
      method, signal, ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
    });
    const found = await answer.json();
    if (answer.ok) return found;
    refusal = found.error;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ConvlensError(SILENT);
  }
  throw new ConvlensError(refusal);
}

/** The last accuracy on validation, and the best one. @param {Training} training */
export function accuracies({ epochs }) {
  const all = epochs.map((row) => row["validation.accuracy"]);
  return { last: all.at(-1), best: all.length ? Math.max(...all) : undefined };
}

/** @param {number | undefined} share */
export const shownAccuracy = (share) => (share === undefined ? "–" : `${(100 * share).toFixed(2)} %`);

const SHORT = { Conv2D: "conv", LocallyConnected2D: "local", Dense: "dense", MaxPool2D: "max-pool",
  AveragePool2D: "mean-pool", BlurPool2D: "blur-pool", GlobalAveragePool2D: "global mean", Residual: "residual" };

/** A network in few words: its layers that have weights, and pooling. */
export function networkWords({ layers, title }) {
  return layers ? chainWords(layers) : (title ?? "");
}

const chainWords = (layers) => layers.filter((one) => Object.hasOwn(SHORT, one.layer)).map(layerWords).join(" → ");

function layerWords({ layer, filters, units, kernel_size: size = 3, layers }) {
  const kernel = layer === "Conv2D" || layer === "LocallyConnected2D" ? `(${[size].flat().join("×")})` : "";
  const branch = layers ? `(${chainWords(layers)})` : "";
  return [SHORT[layer], filters ?? units, kernel, branch].filter(Boolean).join(" ");
}

/** How a network was trained, in few words. */
export function recipeWords({ recipe, share, data }) {
  const epochs = `${recipe.epochs} ${recipe.epochs === 1 ? "epoch" : "epochs"}`;
  const part = share < 1 ? `, ${percent(share)} of the images` : "";
  const moved = recipe.augmentation ? ", augmented" : "";
  return `${recipe.optimizer.name}, ${recipe.schedule.name} ${recipe.schedule.rate}, ${epochs}${moved}; ${data}${part}`;
}

/** A time in words. @param {number} seconds */
export function lasting(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
