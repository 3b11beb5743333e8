/** The list of layers: composed by mouse or keyboard, with what each comes to, and what is wrong where it is wrong. */

import { announce } from "../announce.js";
import { html, useEffect, useRef, useState } from "../view.js";
import { grouped, shapeText } from "../words.js";
import { change, plan } from "./plan.js";
import { ask } from "./trainings.js";

const WAIT = 120; // ms after the last change

/** What the layers come to, asked of the server whenever they change; the last answer until the next one is there. */
export function useComposition(layers, data) {
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const gone = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const answer = await ask("/compose", { method: "POST", body: { layers, data }, signal: gone.signal });
        if (!answer.refused) setFound(answer);
        setProblem(answer.refused ?? "");
      } catch (error) {
        if (error.name !== "AbortError") setProblem(error.message);
      }
    }, WAIT);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [JSON.stringify(layers), data]);
  return { composition: found, problem };
}

export function Layers({ choices, composition }) {
  const { layers } = plan();
  const list = useRef(null);
  const focus = useRef(null);
  useEffect(() => {
    if (focus.current) list.current?.querySelectorAll(focus.current.what)[focus.current.place]?.focus();
    focus.current = null;
  });
  const put = (changed, place, what, words) => {
    focus.current = { place, what };
    change({ layers: changed });
    announce(words);
  };
  const act = {
    set: (place, one) => change({ layers: layers.map((other, i) => (i === place ? one : other)) }),
    remove: (place) =>
      put(layers.filter((_, i) => i !== place), Math.max(0, place - 1), ".kind", `${layers[place].layer} is removed`),
    insert: (place) =>
      put(layers.toSpliced(place + 1, 0, { layer: "ReLU" }), place + 1, ".kind", `ReLU is added as layer ${place + 2}`),
    move: (place, by) => {
      const to = place + by;
      if (to < 0 || to >= layers.length) return;
      const moved = layers.toSpliced(place, 1).toSpliced(to, 0, layers[place]);
      put(moved, to, ".kind", `${layers[place].layer} is now layer ${to + 1} of ${layers.length}`);
    },
  };
  const wrong = composition?.problem;
  return html`
    <ol ref=${list} class="composed" aria-label="Layers, from the image to the scores">
      <li class="ends"><b>Image</b><span>${composition ? shapeText(composition.data.shape) : ""}</span></li>
      ${layers.map(
        (one, place) => html`
          <${Layer}
            key=${place}
            one=${one}
            place=${place}
            last=${layers.length - 1}
            choices=${choices}
            row=${composition?.layers[place]}
            problem=${wrong?.layer === place ? wrong.sentence : ""}
            ...${act}
          />
        `,
      )}
    </ol>
    ${!layers.length && html`<button type="button" onClick=${() => act.insert(-1)}>Add a layer</button>`}
    ${wrong && wrong.layer === null && html`<p class="wrong" role="alert">${wrong.sentence}</p>`}
    ${
      composition &&
      html`<p class="sum-line"><b>${grouped(composition.parameters)}</b> parameters${" "}and${" "}<b>${grouped(composition.flops)}</b> FLOPs an image</p>`
    }
  `;
}

function Layer({ one, place, last, choices, row, problem, set, remove, insert, move }) {
  const name = `layer ${place + 1}, ${one.layer}`;
  const keys = (event) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    move(place, event.key === "ArrowUp" ? -1 : 1);
  };
  const settings = choices.layers[one.layer] ?? [];
  const usual = settings.filter((setting) => USUAL.has(setting.name));
  const rare = settings.filter((setting) => !USUAL.has(setting.name));
  return html`
    <li class=${problem ? "layer-row bad" : "layer-row"} onKeyDown=${keys}>
      <div class="head">
        <select class="kind" aria-label=${`Kind of layer ${place + 1}`} value=${one.layer} aria-invalid=${Boolean(problem)}
          onChange=${(event) => set(place, fresh(event.target.value, choices))}>
          ${!choices.layers[one.layer] && html`<option value=${one.layer}>${one.layer}</option>`}
          ${Object.keys(choices.layers).map((kind) => html`<option key=${kind} value=${kind}>${kind}</option>`)}
        </select>
        ${
          usual.length > 0 &&
          html`<div class="usual">
            ${usual.map((setting) => html`<${Setting} key=${setting.name} one=${one} setting=${setting} place=${place} set=${set} />`)}
          </div>`
        }
        <span class="moves">
          <button type="button" class="quiet" disabled=${place === 0} aria-label=${`Move ${name} up`} onClick=${() => move(place, -1)}>↑</button>
          <button type="button" class="quiet" disabled=${place === last} aria-label=${`Move ${name} down`} onClick=${() => move(place, 1)}>↓</button>
          <button type="button" class="quiet" aria-label=${`Add a layer after ${name}`} onClick=${() => insert(place)}>+</button>
          <button type="button" class="quiet" aria-label=${`Remove ${name}`} onClick=${() => remove(place)}>×</button>
        </span>
      </div>
      ${problem && html`<p class="wrong" role="alert">${problem}</p>`}
      <div class="foot">
        ${row && html`<p class="comes-to">${comesTo(row)}</p>`}
        ${
          rare.length > 0 &&
          html`<details class="rare"><summary aria-label=${`More settings of ${name}`}>more</summary><div class="settings">
            ${rare.map((setting) => html`<${Setting} key=${setting.name} one=${one} setting=${setting} place=${place} set=${set} />`)}
          </div></details>`
        }
      </div>
    </li>
  `;
}

/** The settings that are always shown, with short labels. */
const USUAL = new Map([
  ["filters", "filters"], ["units", "units"], ["kernel_size", "kernel"], ["pool_size", "pool"], ["rate", "rate"], ["shape", "shape"],
]);

function fresh(kind, choices) {
  const needed = (choices.layers[kind] ?? []).filter((setting) => setting.needed);
  return { layer: kind, ...Object.fromEntries(needed.map((setting) => [setting.name, setting.default])) };
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
function Setting({ one, setting, place, set }) {
  const value = one[setting.name] ?? setting.default;
  const put = (given) => {
    const { [setting.name]: _, ...others } = one;
    const same = !setting.needed && JSON.stringify(given) === JSON.stringify(setting.default);
    set(place, same ? others : { ...others, [setting.name]: given });
  };
  const label = USUAL.get(setting.name) ?? setting.name.replaceAll("_", " ");
  if (setting.kind === "choice") {
    return html`<label><span>${label}</span>
      <select value=${value} onChange=${(event) => put(event.target.value)}>
        ${setting.options.map((word) => html`<option key=${word} value=${word}>${word}</option>`)}
      </select></label>`;
  }
  return html`<label><span>${label}</span>
    <input type="text" inputmode="decimal" value=${written(value)} onChange=${(event) => put(entered(event.target.value))} />
  </label>`;
}

const written = (value) => (value === null || value === undefined ? "" : [value].flat().join(", "));

/** What was typed: a number, several, nothing, or the text itself, which the server will refuse in words. */
export function entered(text) {
  if (!text.trim()) return null;
  const parts = text.split(/[,×x ]+/).filter(Boolean).map(Number);
  if (parts.some(Number.isNaN)) return text.trim();
  return parts.length === 1 ? parts[0] : parts;
}
