/** Lines over a number, or over names, with a band from the lowest to the highest seed: drawn from the numbers. */

import { colourOfGroup } from "../colour.js";
import { html, useMemo, useState } from "../view.js";
import { axisOf, figure, tickText } from "./axis.js";

const MOST = 7; // lines in a panel: so many colours can be told apart
const EDGE = 4; // per cent of the width that is free at either side
const DASHES = ["", "7 4", "2 3", "10 3 2 3"]; // one for every few lines: colour alone does not tell them apart

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {number[]} at places of its points on the axis
 * @property {(number | null)[]} mean
 * @property {(number | null)[]} low
 * @property {(number | null)[]} high
 * @property {number} [style] its colour and dashes
 */

/**
 * Lines by panel. Up to seven share one; more are divided by what stands behind the first comma of their names, so that
 * those which differ in that alone have one style; a panel that would still be too full is cut.
 * @param {Line[]} lines
 * @returns {{title: string, lines: Line[]}[]}
 */
export function panelled(lines) {
  if (lines.length <= MOST) return [{ title: "", lines: lines.map((one, style) => ({ ...one, style })) }];
  const parts = lines.map((one) => /^([^,]*)(?:, (.*))?$/.exec(one.name).slice(1));
  const kinds = [...new Set(parts.map(([kind]) => kind))];
  const groups = new Map();
  lines.forEach((one, i) => {
    const [kind, rest = ""] = parts[i];
    groups.set(rest, [...(groups.get(rest) ?? []), { ...one, name: kind, style: kinds.indexOf(kind) }]);
  });
  if (kinds.length <= MOST) return [...groups].map(([title, all]) => ({ title, lines: all }));
  const count = Math.ceil(lines.length / MOST);
  return Array.from({ length: count }, (_, i) => ({
    title: `${i + 1} of ${count}`,
    lines: lines.slice(i * MOST, (i + 1) * MOST).map((one, style) => ({ ...one, style })),
  }));
}

/** @param {{axis: {label: string, values: *[], log: boolean}, unit: string, lines: Line[]}} settings */
export function Lines({ axis, unit, lines }) {
  const panels = useMemo(() => panelled(lines), [lines]);
  const up = useMemo(() => axisOf(lines.flatMap(({ low, high }) => [...low, ...high]).filter((one) => one !== null)), [lines]);
  return html`
    <div class=${panels.length > 1 ? "panels" : "panels single"}>
      ${panels.map((one) => html`<${Panel} key=${one.title} ...${one} axis=${axis} up=${up} unit=${unit} />`)}
    </div>
  `;
}

function Panel({ title, lines, axis, up, unit }) {
  const [pointed, setPointed] = useState(null);
  const places = useMemo(() => [...new Set(lines.flatMap((one) => one.at))].sort((a, b) => a - b), [lines]);
  const across = acrossOf(places, axis);
  const y = (value) => 100 - (100 * (value - up.least)) / (up.most - up.least);
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (100 * (event.clientX - box.left)) / box.width;
    setPointed(places.reduce((best, one) => (Math.abs(across(one) - x) < Math.abs(across(best) - x) ? one : best)));
  };
  const shown = pointed ?? places.at(-1);
  return html`
    <figure class="lines">
      ${title && html`<figcaption>${title}</figcaption>`}
      <div class="frame">
        <div class="up" aria-hidden="true">
          ${up.ticks.map((tick) => html`<span key=${tick} style=${{ top: `${y(tick)}%` }}>${tickText(tick)}</span>`)}
        </div>
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true" onPointerMove=${point} onPointerLeave=${() => setPointed(null)}>
          ${up.ticks.map((tick) => html`<line key=${tick} class="tick" x1="0" x2="100" y1=${y(tick)} y2=${y(tick)} />`)}
          ${pointed !== null && html`<line class="zero" x1=${across(pointed)} x2=${across(pointed)} y1="0" y2="100" />`}
          ${lines.map((one) => html`<${Drawn} key=${one.name} line=${one} x=${across} y=${y} />`)}
        </svg>
        <div class="across" aria-hidden="true">
          ${ticksOf(places, axis).map(([place, text]) => html`<span key=${place} style=${{ left: `${across(place)}%` }}>${text}</span>`)}
        </div>
      </div>
      <ul class="key">
        <li>${axis.label} <b>${placeText(shown, axis)}</b></li>
        ${lines.map((one) => html`<li key=${one.name}><${Swatch} style=${one.style} />${one.name} <b>${valueAt(one, shown, unit)}</b></li>`)}
      </ul>
    </figure>
  `;
}

/** A band, the line of means, and a mark at each; a gap where a value is not known. */
function Drawn({ line: { at, mean, low, high, style }, x, y }) {
  const known = at.map((_, i) => i).filter((i) => mean[i] !== null);
  const corner = (values) => (i) => `${x(at[i])},${y(values[i])}`;
  const look = { stroke: colourOfGroup(style), "stroke-dasharray": dash(style) };
  return html`
    <g style=${{ stroke: look.stroke, fill: look.stroke }}>
      <polygon class="band" points=${[...known.map(corner(high)), ...known.toReversed().map(corner(low))].join(" ")} />
      <polyline class="mean" stroke-dasharray=${look["stroke-dasharray"]} points=${known.map(corner(mean)).join(" ")} />
      ${known.map((i) => html`<line key=${i} class="mark" x1=${x(at[i])} x2=${x(at[i])} y1=${y(mean[i])} y2=${y(mean[i])} />`)}
    </g>
  `;
}

const dash = (style) => DASHES[style % DASHES.length];

const Swatch = ({ style }) => html`
  <svg class="dash" viewBox="0 0 24 8" aria-hidden="true">
    <line x1="0" x2="24" y1="4" y2="4" stroke-dasharray=${dash(style)} style=${{ stroke: colourOfGroup(style) }} />
  </svg>
`;

/** Where a place is on the axis, in per cent of its width. */
function acrossOf(places, { log }) {
  const scaled = log ? Math.log : (value) => value;
  const [least, most] = [scaled(places[0]), scaled(places.at(-1))];
  return (place) => EDGE + ((100 - 2 * EDGE) * (scaled(place) - least)) / (most - least || 1);
}

const isNamed = ({ values }) => typeof values[0] === "string";

/** A place on the axis in words. */
export const placeText = (place, axis) => (isNamed(axis) ? axis.values[place] : tickText(place));

/** What stands on the axis: names, the places themselves if they are few, or round numbers. */
function ticksOf(places, axis) {
  const whole = axisOf(places).ticks.filter((one) => one >= places[0] && one <= places.at(-1));
  return (isNamed(axis) || axis.log || places.length <= 10 ? places : whole).map((place) => [place, placeText(place, axis)]);
}

function valueAt({ at, mean }, place, unit) {
  const i = at.indexOf(place);
  return i < 0 ? "–" : `${figure(mean[i], unit)}${unit && ` ${unit}`}`;
}
