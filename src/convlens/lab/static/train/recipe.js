/** How to train: recipe, optimiser, rate, epochs, data, seeds, and when to stop. */

import { html } from "../view.js";
import { grouped } from "../words.js";
import { entered } from "./layers.js";
import { change, plan } from "./plan.js";

export function RecipeForm({ choices, composition, problem }) {
  const { base, changes, data, share, seeds, title, stop } = plan();
  const recipe = choices.recipes[base] ?? choices.recipes.good;
  const alter = (key, value, usual) => {
    const { [key]: _, ...others } = changes;
    const same = JSON.stringify(value) === JSON.stringify(usual);
    change({ changes: same || value === null ? others : { ...others, [key]: value } });
  };
  const images = composition ? Math.round(share * composition.data.train) : null;
  return html`
    <div class="settings wide">
      <label><span>data set, or the path of your own</span>
        <input type="text" list="data-sets" value=${data} aria-invalid=${Boolean(problem)}
          onChange=${(event) => change({ data: event.target.value.trim() || "mnist" })} />
        <datalist id="data-sets">${choices.data.map((name) => html`<option key=${name} value=${name} />`)}</datalist>
      </label>
      ${problem && html`<p class="wrong" role="alert">${problem}</p>`}
      <label><span>share of the training images${images ? `: ${grouped(images)}` : ""}</span>
        <span class="slider"><input type="range" min="1" max="100" value=${Math.round(100 * share)}
          onInput=${(event) => change({ share: Number(event.target.value) / 100 })} />
        <output>${Math.round(100 * share)} %</output></span>
      </label>
    </div>
    <div class="settings">
      <label><span>recipe</span>
        <select value=${base} onChange=${(event) => change({ base: event.target.value, changes: { epochs: changes.epochs ?? 1 } })}>
          ${Object.keys(choices.recipes).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select></label>
      <label><span>optimiser</span>
        <select value=${changes.optimizer?.name ?? recipe.optimizer.name}
          onChange=${({ target }) => alter("optimizer", { name: target.value }, { name: recipe.optimizer.name })}>
          ${Object.keys(choices.optimizers).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select></label>
      <${Typed} label="learning rate" value=${changes.schedule?.rate ?? recipe.schedule.rate}
        put=${(rate) => alter("schedule", { rate }, { rate: recipe.schedule.rate })} />
      <${Typed} label="epochs" value=${changes.epochs ?? recipe.epochs} put=${(value) => alter("epochs", value, recipe.epochs)} />
      <${Typed} label="batch size" value=${changes.batch_size ?? recipe.batch_size}
        put=${(value) => alter("batch_size", value, recipe.batch_size)} />
      <label><span>seeds</span>
        <input type="number" min="1" max="20" value=${seeds}
          onChange=${(event) => change({ seeds: Math.max(1, Math.min(20, Number(event.target.value) || 1)) })} /></label>
    </div>
    <details class="rare">
      <summary>Name, and when to stop early</summary>
      <div class="settings">
        <label class="long"><span>name</span><input type="text" maxlength="60" value=${title}
          onChange=${(event) => change({ title: event.target.value })} /></label>
        <${Typed} label="validation, in %" value=${stop.accuracy ? 100 * stop.accuracy : null}
          put=${(value) => change({ stop: without({ ...stop, accuracy: typeof value === "number" ? value / 100 : value }) })} />
        <${Typed} label="steps" value=${stop.steps} put=${(value) => change({ stop: without({ ...stop, steps: value }) })} />
        <${Typed} label="minutes" value=${stop.minutes} put=${(value) => change({ stop: without({ ...stop, minutes: value }) })} />
      </div>
    </details>
  `;
}

function Typed({ label, value, put }) {
  return html`<label><span>${label}</span>
    <input type="text" inputmode="decimal" value=${value ?? ""} onChange=${(event) => put(entered(event.target.value))} />
  </label>`;
}

const without = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
