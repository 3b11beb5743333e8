/** The list of layers: composed by mouse or keyboard, with what each comes to, and what is wrong where it is wrong. */

import { announce } from "../announce.js";
import { html, useEffect, useRef } from "../view.js";
import { grouped, shapeText } from "../words.js";
import { change, plan } from "./plan.js";
import { Setting } from "./setting.js";

export function Layers({ choices, composition }) {
  const { layers } = plan();
  const list = useRef(null);
  const focus = useRef(null);
  useEffect(() => {
    if (focus.current === null) return;
    const where = focus.current ? `[data-place="${focus.current}"] .kind` : ".add"; // no layer is left
    list.current?.parentElement.querySelector(where)?.focus();
    focus.current = null;
  });
  const act = actions(layers, (place, words) => {
    focus.current = key(place);
    announce(words);
  });
  const wrong = composition?.problem;
  const rows = new Map(composition?.layers.map((row) => [key(row.place), row]));
  const known = { choices, rows, wrong, act, shape: composition?.data.shape, classes: composition?.data.classes.length };
  return html`
    <ol ref=${list} class="composed" aria-label="Layers, from the image to the scores">
      <li class="ends"><b>Image</b><span>${composition ? shapeText(composition.data.shape) : ""}</span></li>
      <${Rows} layers=${layers} within=${[]} known=${known} />
    </ol>
    ${!layers.length && html`<button type="button" class="add" onClick=${() => act.insert([-1])}>Add a layer</button>`}
    ${wrong && wrong.layer === null && html`<p class="wrong" role="alert">${wrong.sentence}</p>`}
    ${
      composition &&
      html`<p class="sum-line"><b>${grouped(composition.parameters)}</b> parameters${" "}and${" "}<b>${grouped(composition.flops)}</b> FLOPs an image</p>`
    }
  `;
}

const key = (place) => place.join(".");
const said = (place) => place.map((one) => one + 1).join(".");

/** The layers with that list changed in which a place is: those of a branch, for a place of several numbers. */
function edited(layers, [first, ...rest], change) {
  if (!rest.length) return change(layers, first);
  return layers.with(first, { ...layers[first], layers: edited(layers[first].layers, rest, change) });
}

/** What can be done with the layers; `then` is told where the focus goes, and what a screen reader is told. */
function actions(layers, then) {
  const put = (place, changed, to, words) => {
    const at = [...place.slice(0, -1), to];
    then(to < 0 ? at.slice(0, -1) : at, words(said(at)));
    change({ layers: edited(layers, place, changed) });
  };
  return {
    set: (place, one) => change({ layers: edited(layers, place, (list, i) => list.with(i, one)) }),
    insert: (place) =>
      put(place, (list, i) => list.toSpliced(i + 1, 0, { layer: "ReLU" }), place.at(-1) + 1, (at) => `ReLU is added as layer ${at}`),
    remove: (place, one, last) =>
      put(place, (list, i) => list.toSpliced(i, 1), last ? Math.max(0, place.at(-1) - 1) : -1, () => `${one.layer} is removed`),
    move: (place, one, by, last) => {
      const to = place.at(-1) + by;
      if (to < 0 || to > last) return;
      put(place, (list, i) => list.toSpliced(i, 1).toSpliced(to, 0, one), to, (at) => `${one.layer} is now layer ${at}`);
    },
  };
}

/** The layers of the network, or of a branch. */
function Rows({ layers, within, known }) {
  return layers.map((one, i) => html`<${Layer} key=${i} one=${one} place=${[...within, i]} last=${layers.length - 1} known=${known} />`);
}

function Layer({ one, place, last, known }) {
  const { choices, rows, wrong, act } = known;
  const name = `layer ${said(place)}, ${one.layer}`;
  const problem = wrong?.layer && key(wrong.layer) === key(place) ? wrong.sentence : "";
  const keys = (event) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    event.stopPropagation(); // a layer of a branch moves in it, and the branch stays
    act.move(place, one, event.key === "ArrowUp" ? -1 : 1, last);
  };
  const settings = settingsOf(one.layer, choices).filter((setting) => setting.kind !== "layers");
  const row = rows.get(key(place));
  const shown = (some) => some.map((setting) => html`<${LayerSetting} key=${setting.name} one=${one} setting=${setting} set=${(changed) => act.set(place, changed)} />`);
  const usual = settings.filter((setting) => USUAL.has(setting.name));
  const rare = settings.filter((setting) => !USUAL.has(setting.name));
  return html`
    <li class=${problem ? "layer-row bad" : "layer-row"} data-place=${key(place)} onKeyDown=${keys}>
      <div class="head">
        <select class="kind" aria-label=${`Kind of layer ${said(place)}`} value=${one.layer} aria-invalid=${Boolean(problem)}
          onChange=${(event) => act.set(place, fresh(event.target.value, inputShape(place, known), choices))}>
          ${!Object.hasOwn(choices.layers, one.layer) && html`<option value=${one.layer}>${one.layer}</option>`}
          ${Object.keys(choices.layers).map((kind) => html`<option key=${kind} value=${kind}>${kind}</option>`)}
        </select>
        ${usual.length > 0 && html`<div class="usual">${shown(usual)}</div>`}
        <span class="moves">
          <button type="button" class="quiet" disabled=${place.at(-1) === 0} aria-label=${`Move ${name} up`} onClick=${() => act.move(place, one, -1, last)}>↑</button>
          <button type="button" class="quiet" disabled=${place.at(-1) === last} aria-label=${`Move ${name} down`} onClick=${() => act.move(place, one, 1, last)}>↓</button>
          <button type="button" class="quiet" aria-label=${`Add a layer after ${name}`} onClick=${() => act.insert(place)}>+</button>
          <button type="button" class="quiet" aria-label=${`Remove ${name}`} onClick=${() => act.remove(place, one, last)}>×</button>
        </span>
      </div>
      ${problem && html`<p class="wrong" role="alert">${problem}</p>`}
      ${problem && row && one.layer === "Dense" && one.units !== known.classes && html`<button type="button" class="mend" onClick=${() => act.set(place, { ...one, units: known.classes })}>Give it ${known.classes} units</button>`}
      ${Array.isArray(one.layers) && html`<${Branch} one=${one} place=${place} name=${name} known=${known} />`}
      <div class="foot">
        ${row && html`<p class="comes-to">${comesTo(row)}</p>`}
        ${rare.length > 0 && html`<details class="rare"><summary aria-label=${`More settings of ${name}`}>more</summary><div class="settings">${shown(rare)}</div></details>`}
      </div>
    </li>
  `;
}

function Branch({ one, place, name, known }) {
  return html`
    <ol class="composed branch" aria-label=${`Branch of ${name}`}>
      <${Rows} layers=${one.layers} within=${place} known=${known} />
    </ol>
    ${!one.layers.length && html`<button type="button" onClick=${() => known.act.insert([...place, -1])}>Add a layer to the branch</button>`}
    <p class="note">What the branch gives is added to what went into it.</p>
  `;
}

/** The settings that are always shown, with short labels. */
const USUAL = new Map([
  ["filters", "filters"], ["units", "units"], ["kernel_size", "kernel"], ["pool_size", "pool"], ["rate", "rate"], ["shape", "shape"],
]);

const settingsOf = (kind, { layers }) => (Object.hasOwn(layers, kind) ? layers[kind] : []);

/** The shape of what a layer is given, as far as the layers before it are right. */
function inputShape(place, { rows, shape }) {
  const [at, within] = [place.at(-1), place.slice(0, -1)];
  if (at > 0) return rows.get(key([...within, at - 1]))?.shape;
  return within.length ? inputShape(within, { rows, shape }) : shape;
}

/** A layer as it is first chosen; a branch keeps the shape of what it is given. */
function fresh(kind, shape, choices) {
  const needed = Object.fromEntries(settingsOf(kind, choices).filter((one) => one.needed).map((one) => [one.name, one.default]));
  if (!needed.layers || !shape) return { layer: kind, ...needed };
  const one = shape.length === 3 ? { layer: "Conv2D", filters: shape[2] } : { layer: "Dense", units: shape[0] };
  return { layer: kind, ...needed, layers: [one, { layer: "ReLU" }, one] };
}

function comesTo(row) {
  const parts = [shapeText(row.shape)];
  if (row.parameters) parts.push(`${grouped(row.parameters)} parameters`);
  if (row.flops) parts.push(`${grouped(row.flops)} FLOPs`);
  parts.push(
    row.sees === "window" ? `sees ${shapeText(row.size)}, every ${row.stride[0]}` : row.sees === "all" ? "sees all" : "sees scattered pixels",
  );
  return parts.join(" · ");
}

/** One setting of a layer; with its default value it is left out. */
function LayerSetting({ one, setting, set }) {
  const put = (given) => {
    const { [setting.name]: _, ...others } = one;
    const same = !setting.needed && JSON.stringify(given) === JSON.stringify(setting.default);
    set(same ? others : { ...others, [setting.name]: given });
  };
  return html`<${Setting} setting=${setting} value=${one[setting.name] ?? setting.default} put=${put} label=${USUAL.get(setting.name)} />`;
}
