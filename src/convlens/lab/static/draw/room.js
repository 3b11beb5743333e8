/** The room Draw: draw a digit, or pick one, drag it, and see what several networks say. */

import { announce } from "../announce.js";
import { ConvlensError } from "../engine/index.js";
import { blank, isBlank, rendered, shifted } from "../drawing.js";
import { view } from "../fields.js";
import { fitted, fitting } from "../fit.js";
import { catalogue, entries, entry, useModels } from "../library.js";
import * as state from "../state.js";
import { html, useEffect, useMemo, useState } from "../view.js";
import { megabytes, percent } from "../words.js";
import { Card } from "./answers.js";
import { centre } from "./centre.js";
import { Samples, ShiftPad, Sliders, Tools } from "./controls.js";
import { Surface } from "./surface.js";
import { useShiftMaps } from "./maps.js";

const MOST = 4; // models side by side
const LARGE = 2e6; // bytes: the size of a larger file is said before it is loaded
const FIRST = ["dense", "cnn"]; // shown at first, if they are there

state.declare({ models: state.list(null) });

/** Show a model whose file was dropped, beside the others. */
export function opened(name) {
  const others = chosen().filter((one) => one !== name);
  state.set({ models: [...others.slice(0, MOST - 1), name] });
}

/** Names of the models side by side. */
function chosen() {
  const names = state.get("models");
  if (names !== null) return names.slice(0, MOST);
  const all = catalogue.models.map((one) => one.name);
  const given = catalogue.models.filter((one) => one.address?.startsWith("api/") && !one.trained);
  const own = given.map((one) => one.name);
  const first = [...own, ...FIRST.filter((name) => all.includes(name))].slice(0, MOST);
  return first.length ? first : all.slice(0, MOST);
}

export function Room({ open }) {
  const get = state.useView();
  const [tool, setTool] = useState("move");
  const [done, setDone] = useState("");
  const drawing = get("drawing") ?? EMPTY;
  const { shift, ...before } = view();
  const still = useMemo(() => rendered(drawing, before), [drawing, ...Object.values(before)]);
  const pixels = useMemo(() => shifted(still, shift), [still, ...shift]);
  const names = chosen();
  const models = useModels(names);
  const answers = useMemo(() => names.map((name, i) => answer(name, models[i], pixels)), [names.join(), ...models, pixels]);
  const meant = useMeant(get, names, models, still, shift[0] || shift[1] ? null : answers);
  const grids = useShiftMaps(names, models, still);
  useAnnounced(answers, pixels);
  const tidy = () => {
    const words = centre(pixels);
    setDone(words);
    announce(words);
  };
  useEffect(() => setDone(""), [get("digit")]);
  // What a stroke leaves alone is not rendered again
  const changes = ["digit", "shift", ...Object.keys(before)].map(get);
  const below = useMemo(() => html`<${Samples} picked=${() => setTool("move")} /><${Sliders} />`, changes);
  const chooser = useMemo(() => html`<${Chooser} names=${names} open=${open} />`, [names.join(), catalogue.models, open]);
  const legend = useMemo(() => html`<${Legend} />`, []);
  return html`
    <div class="draw-room">
      <section class="drawing" aria-labelledby="drawing-title">
        <h1 id="drawing-title">Draw a digit, then drag it</h1>
        <${Tools} tool=${tool} choose=${setTool} centre=${tidy} />
        <${Surface} pixels=${pixels} tool=${tool} />
        <${ShiftPad} />
        ${done && html`<p class="note">${done}</p>`}
        <p id="surface-help" class="note">
          ${
            tool === "move"
              ? "Drag the digit, or use the arrow keys."
              : "With the keyboard: arrows move the pen, space puts it down and lifts it."
          }
        </p>
        ${below}
      </section>
      <section class="answers" aria-label="What the networks say">
        ${chooser}
        <${Meant} meant=${meant} models=${models} />
        <div class="cards">
          ${answers.map((one) => html`<${Card} key=${one.name} answer=${one} meant=${meant} grid=${grids.get(one.name)} />`)}
        </div>
        ${!names.length && html`<p class="note">There is no model here yet: open a file of yours.</p>`}
        ${legend}
      </section>
    </div>
  `;
}

const EMPTY = blank();

/** @returns {import("./answers.js").Answer} */
function answer(name, model, pixels) {
  const about = entry(name);
  const known = { name, title: about?.title ?? name, parameters: about?.parameters ?? 0, top: -1 };
  if (model instanceof Error) return { ...known, problem: model.message };
  if (!model) return known;
  try {
    const probabilities = model.probabilities(fitted(pixels, model.inputShape));
    const top = probabilities.indexOf(Math.max(...probabilities));
    return { ...known, model, probabilities, top, note: fitting(model.inputShape) };
  } catch (error) {
    if (!(error instanceof ConvlensError)) throw error;
    return { ...known, problem: error.message };
  }
}

/**
 * The class that the drawing is meant to be: as chosen, or the test digit's, or what most networks say to it unshifted.
 * @param {import("./answers.js").Answer[] | null} answers theirs, if it is not shifted: they need not be asked twice
 */
function useMeant(get, names, models, still, answers) {
  const chosenName = get("meant");
  const label = labelOf(get("digit"));
  return useMemo(() => {
    if (chosenName) return chosenName;
    if (label !== "") return label;
    if (isBlank(still)) return "";
    const votes = new Map();
    for (const { top, probabilities, model } of answers ?? names.map((name, i) => answer(name, models[i], still))) {
      if (top >= 0) votes.set(model.classNames[top], (votes.get(model.classNames[top]) ?? 0) + 1 + probabilities[top]);
    }
    return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
  }, [chosenName, label, names.join(), ...models, still, answers]);
}

/** The label of a test digit, by its place in the test set; nothing if the drawing is none. */
function labelOf(digit) {
  const { indexes = [], labels } = catalogue.digits ?? {};
  const at = indexes.indexOf(digit);
  return at < 0 ? "" : String(labels[at]);
}

function useAnnounced(answers, pixels) {
  useEffect(() => {
    if (isBlank(pixels)) return;
    const said = answers
      .filter((one) => one.probabilities)
      .map((one) => `${one.title}: ${one.model.classNames[one.top]}, ${percent(one.probabilities[one.top])}`);
    if (said.length) announce(said.join(". "));
  }, [answers]);
}

/** Which models are side by side. */
function Chooser({ names, open }) {
  const choose = (name, on) => {
    const models = on ? [...names, name] : names.filter((one) => one !== name);
    state.set({ models: entries().map((one) => one.name).filter((one) => models.includes(one)) });
  };
  return html`
    <fieldset class="chips">
      <legend class="unseen">Networks side by side, at most ${MOST}</legend>
      ${catalogue.models.map(({ name, title, about, bytes }) => {
        const on = names.includes(name);
        return html`
          <label key=${name} title=${about}>
            <input
              type="checkbox"
              checked=${on}
              disabled=${on ? names.length === 1 : names.length >= MOST}
              onChange=${(event) => choose(name, event.target.checked)}
            />
            <span>${title}${bytes > LARGE && html`<small>${megabytes(bytes)}</small>`}</span>
          </label>
        `;
      })}
      <${OpenFile} open=${open} />
    </fieldset>
  `;
}

/** A button that opens a file, a model's or a picture: what dropping it on the page does. */
export function OpenFile({ open }) {
  const choose = (event) => {
    const [file] = event.target.files;
    event.target.value = ""; // so that the same file can be opened again
    if (file) open(file);
  };
  return html`
    <label class="open-file" title="Or drop it on the page, or paste a picture">
      <input type="file" class="unseen" onChange=${choose} />
      <span>Open a model or picture…</span>
    </label>
  `;
}

/** The class whose confidence the maps show. */
function Meant({ meant, models }) {
  const names = models.find((one) => one?.classNames)?.classNames ?? [];
  const chosenName = state.get("meant");
  const how = labelOf(state.get("digit")) ? "its label" : "as they read it unshifted";
  const found = chosenName ? "found out" : meant ? `${meant} (${how})` : "not known yet";
  return html`
    <label class="meant-row">
      <span>The drawing is meant to be</span>
      <select value=${chosenName} onChange=${(event) => state.set({ meant: event.target.value })}>
        <option value="">${found}</option>
        ${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>
    </label>
  `;
}

function Legend() {
  return html`
    <p class="legend"><span>0 %</span><i class="viridis" aria-hidden="true"></i><span>100 %</span>
      <span>Each square: the probability of the class if the drawing were shifted there, up to 8 pixels each way.</span></p>
  `;
}
