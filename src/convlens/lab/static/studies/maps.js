/** Maps over two numbers, such as accuracy over all shifts: one an arm, all with one scale of colours. */

import { scaleOf } from "../colour.js";
import { Pixels } from "../pixels.js";
import { html, useMemo, useState } from "../view.js";
import { figure, tickText } from "./axis.js";

/**
 * @param {object} settings
 * @param {{label: string, values: number[]}[]} settings.axes of rows and columns
 * @param {string} settings.unit
 * @param {{name: string, mean: (number | null)[]}[]} settings.maps row by row
 */
export function Maps({ axes, unit, maps }) {
  const [down, across] = axes;
  const [height, width] = axes.map((axis) => axis.values.length);
  const [pointed, setPointed] = useState(null);
  const [row, column] = pointed ?? axes.map((axis) => Math.max(0, axis.values.indexOf(0)));
  const arrays = useMemo(() => maps.map((one) => Float64Array.from(one.mean, (value) => value ?? NaN)), [maps]);
  const scale = useMemo(() => scaleOf(arrays.flatMap((one) => [...one])), [arrays]);
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const cell = (offset, size, count) => Math.max(0, Math.min(count - 1, Math.floor((offset / size) * count)));
    setPointed([cell(event.clientY - box.top, box.height, height), cell(event.clientX - box.left, box.width, width)]);
  };
  const words = (value) => `${figure(value, unit)}${unit && ` ${unit}`}`;
  return html`
    <div class="heat" onPointerLeave=${() => setPointed(null)}>
      ${maps.map(
        (one, i) => html`
          <figure key=${one.name}>
            <figcaption>${one.name}</figcaption>
            <div class="plot" style=${{ "--shape": `${width} / ${height}` }} onPointerMove=${point}>
              <${Pixels} values=${arrays[i]} height=${height} width=${width} scale=${scale} label=${described(one, words)} />
              <svg viewBox=${`0 0 ${width} ${height}`} aria-hidden="true">
                <rect class="here under" x=${column} y=${row} width="1" height="1" />
                <rect class="here" x=${column} y=${row} width="1" height="1" />
              </svg>
            </div>
            <output>${words(one.mean[row * width + column])}</output>
          </figure>
        `,
      )}
    </div>
    <p class="legend">
      <span>${words(scale.least)}</span><i class=${scale.least < 0 ? "diverging" : "viridis"} aria-hidden="true"></i><span>${words(scale.most)}</span>
      <span>The values are those at ${down.label}: <b>${tickText(down.values[row])}</b>; ${across.label}: <b>${tickText(across.values[column])}</b>.
        Point at a map for another place. Down is ${ends(down)}, across ${ends(across)}.</span>
    </p>
  `;
}

const ends = ({ values }) => `${tickText(values[0])} to ${tickText(values.at(-1))}`;

function described({ name, mean }, words) {
  const known = mean.filter((one) => one !== null);
  return `${name}: ${words(Math.min(...known))} to ${words(Math.max(...known))}`;
}
