/** A slider over the snapshots of one training, from random weights to trained ones. */

import { catalogue } from "../library.js";
import * as state from "../state.js";
import { html } from "../view.js";
import { grouped } from "../words.js";

export function Snapshots({ name }) {
  const { snapshots, digits } = catalogue;
  const all = snapshots?.models ?? [];
  if (!all.length) return null;
  const place = all.findIndex((one) => one.name === name);
  const words = ({ step, digits_right: right }) =>
    `step ${grouped(step)}: ${right} of ${digits.labels.length} test digits right`;
  return html`
    <label class="snapshots">
      <span>Through a training <small>(${snapshots.title})</small></span>
      <input
        type="range"
        min="0"
        max=${all.length - 1}
        value=${place < 0 ? all.length - 1 : place}
        aria-valuetext=${place < 0 ? "not shown" : words(all[place])}
        onInput=${(event) => state.set({ model: all[Number(event.target.value)].name })}
      />
      <output>${place < 0 ? "move to begin with random weights" : words(all[place])}</output>
    </label>
  `;
}
