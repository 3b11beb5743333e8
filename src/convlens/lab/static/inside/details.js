/** What is known about the chosen layer and unit, in tabs. */

import * as state from "../state.js";
import { html, useRef } from "../view.js";
import { Attribution } from "./attribution.js";
import { Equivariance } from "./equivariance.js";
import { Examples } from "./examples.js";
import { Filters } from "./filters.js";
import { Unit } from "./unit.js";

const TABS = [
  { name: "unit", title: "Arithmetic" },
  { name: "weights", title: "Weights" },
  { name: "digits", title: "Digits" },
  { name: "shift", title: "Shift" },
  { name: "why", title: "Why" },
];

state.declare({ tab: state.choice("unit", TABS.map((one) => one.name)) });

export function Details({ model, name, still, look, node, unit, meters }) {
  const tab = state.get("tab");
  const names = node === model.nodes.at(-1) ? model.classNames : null;
  const top = look.probabilities.indexOf(Math.max(...look.probabilities));
  const k = names && unit ? unit[0] : top; // a unit of the last layer is a class
  const shift = state.get("shift");
  return html`
    <section class="details" aria-label="Details">
      <${Tabs} tab=${tab} />
      <div id="details-panel" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">
        ${tab === "unit" && html`<${Unit} model=${model} look=${look} node=${node} unit=${unit} names=${names} />`}
        ${tab === "weights" && html`<${Filters} model=${model} node=${node} unit=${unit} />`}
        ${tab === "digits" && html`<${Examples} model=${model} name=${name} node=${node} unit=${unit} names=${names} />`}
        ${
          tab === "shift" &&
          html`<${Equivariance} model=${model} still=${still} node=${node} unit=${unit} shift=${shift} meter=${meters.get(node.name)} />`
        }
        ${tab === "why" && html`<${Attribution} model=${model} name=${name} image=${look.image} k=${k} />`}
      </div>
    </section>
  `;
}

function Tabs({ tab }) {
  const list = useRef(null);
  const key = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = TABS.findIndex((one) => one.name === tab);
    const next = TABS[(at + step + TABS.length) % TABS.length];
    state.set({ tab: next.name });
    list.current.querySelector(`#tab-${next.name}`).focus();
  };
  return html`
    <div ref=${list} class="tabs" role="tablist" aria-label="Details" onKeyDown=${key}>
      ${TABS.map(
        ({ name, title }) => html`
          <button
            type="button"
            key=${name}
            id=${`tab-${name}`}
            role="tab"
            aria-selected=${String(name === tab)}
            aria-controls="details-panel"
            tabindex=${name === tab ? 0 : -1}
            onClick=${() => state.set({ tab: name })}
          >
            ${title}
          </button>
        `,
      )}
    </div>
  `;
}
