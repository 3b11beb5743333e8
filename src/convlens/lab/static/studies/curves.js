/** What a study measured along the way: a choice of its curves and maps, the chosen one drawn, and its exact values. */

import * as state from "../state.js";
import { html, useState } from "../view.js";
import { figure, tickText } from "./axis.js";
import { Lines, placeText } from "./lines.js";
import { Maps } from "./maps.js";

state.declare({ curve: state.text("") });

/** @param {{study: {curves: object[]}}} settings */
export function Curves({ study }) {
  const { curves } = study;
  if (!curves.length) return null;
  const chosen = curves.find((one) => one.name === state.get("curve")) ?? curves.find(isMap) ?? curves[0];
  const n = [...new Set(chosen.arms.map((one) => one.n))].sort((a, b) => a - b);
  const seeds = n.length > 1 ? `${n[0]} to ${n.at(-1)} seeds` : n[0] === 1 ? "1 seed" : `${n[0]} seeds`;
  return html`
    <section class="curves-of-study" aria-labelledby="curves-title">
      <div class="title">
        <h3 id="curves-title">${curves.some(isMap) ? "Curves and maps" : "Curves"}</h3>
        <label><span class="unseen">What is drawn</span>
          <select value=${chosen.name} onChange=${(event) => state.set({ curve: event.target.value })}>
            ${curves.map((one) => html`<option key=${one.name} value=${one.name}>${titleOf(one)}</option>`)}
          </select></label>
      </div>
      <p class="drawn">${titleOf(chosen)}</p>
      ${
        isMap(chosen)
          ? html`<${Maps} key=${chosen.name} axes=${chosen.axes} unit=${chosen.unit} maps=${chosen.arms} />`
          : html`<${Lines} key=${chosen.name} axis=${chosen.axes[0]} unit=${chosen.unit} lines=${chosen.arms} />`
      }
      <p class="note">Means over ${seeds}${isMap(chosen) ? "; all maps have one scale" : "; the band reaches from the lowest to the highest"}.</p>
      <${Exact} key=${chosen.name} curve=${chosen} />
    </section>
  `;
}

const isMap = ({ axes }) => axes.length === 2;

function titleOf({ label, unit, axes }) {
  const what = `${label[0].toUpperCase()}${label.slice(1)}${unit && ` (${unit})`}`;
  return axes.length === 2 ? `${what}: maps` : `${what}, by ${axes[0].label}`;
}

/** The tables are made when they are opened: a map has hundreds of values. */
function Exact({ curve }) {
  const [open, setOpen] = useState(false);
  return html`
    <details onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary>Its exact values</summary>
      ${open && (isMap(curve) ? curve.arms.map((one) => html`<${MapTable} key=${one.name} curve=${curve} arm=${one} />`) : html`<${LineTable} curve=${curve} />`)}
    </details>
  `;
}

function LineTable({ curve: { axes: [axis], unit, arms, label } }) {
  const places = [...new Set(arms.flatMap((one) => one.at))].sort((a, b) => a - b);
  const cell = ({ at, mean, low, high }, place) => {
    const i = at.indexOf(place);
    if (i < 0) return "";
    const range = low[i] === high[i] ? "" : ` (${figure(low[i], unit)} to ${figure(high[i], unit)})`;
    return `${figure(mean[i], unit)}${range}`;
  };
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${label}>
      <table>
        <caption>${label}${unit && `, ${unit}`}: mean (lowest to highest seed)</caption>
        <thead><tr><th scope="col">${axis.label}</th>${places.map((one) => html`<th key=${one} scope="col">${placeText(one, axis)}</th>`)}</tr></thead>
        <tbody>${arms.map((one) => html`<tr key=${one.name}><th scope="row">${one.name}</th>
          ${places.map((place) => html`<td key=${place}>${cell(one, place)}</td>`)}</tr>`)}</tbody>
      </table>
    </div>
  `;
}

function MapTable({ curve: { axes: [down, across], unit, label }, arm }) {
  const width = across.values.length;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${`${arm.name}: ${label}`}>
      <table>
        <caption>${arm.name}: ${label}${unit && `, ${unit}`}; rows: ${down.label}; columns: ${across.label}</caption>
        <thead><tr><th scope="col"><span class="unseen">${down.label}</span></th>
          ${across.values.map((one) => html`<th key=${one} scope="col">${tickText(one)}</th>`)}</tr></thead>
        <tbody>${down.values.map((one, i) => html`<tr key=${one}><th scope="row">${tickText(one)}</th>
          ${across.values.map((two, j) => html`<td key=${two}>${figure(arm.mean[i * width + j], unit)}</td>`)}</tr>`)}</tbody>
      </table>
    </div>
  `;
}
