/** The map of confidence over all shifts of the drawing. */

import { viridis } from "../colour.js";
import { Pixels } from "../pixels.js";
import * as state from "../state.js";
import { html, useState } from "../view.js";
import { percent, shiftWords, signed } from "../words.js";

export const REACH = 8; // pixels in each direction
export const WIDTH = 2 * REACH + 1;
const SHARE = { colours: viridis, least: 0, most: 1 };

/**
 * @param {object} settings
 * @param {string} settings.title of the model
 * @param {import("../engine/index.js").Model} settings.model
 * @param {string} settings.meant the class whose probability is shown, by name
 * @param {{values: Float32Array, version: number} | undefined} settings.map row by row; NaN where not known yet
 */
export function ShiftMap({ title, model, meant, map }) {
  const [pointed, setPointed] = useState(null);
  if (!meant) return null;
  if (!model.classNames.includes(meant)) return html`<p class="note">It knows no class ${meant}.</p>`;
  const [right, down] = state.get("shift");
  const at = pointed ?? [right, down];
  const place = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const cell = (offset, size) => Math.max(-REACH, Math.min(REACH, Math.floor((offset / size) * WIDTH) - REACH));
    return [cell(event.clientX - box.left, box.width), cell(event.clientY - box.top, box.height)];
  };
  const value = map && valueAt(map.values, at);
  return html`
    <figure class="shift-map">
      <div
        class="plot"
        onPointerMove=${(event) => setPointed(place(event))}
        onPointerLeave=${() => setPointed(null)}
        onClick=${(event) => state.set({ shift: place(event) })}
      >
        ${map && html`<${Pixels} values=${map.values} version=${map.version} height=${WIDTH} width=${WIDTH}
          scale=${SHARE} label=${described(title, meant, map.values)} />`}
        <svg viewBox="0 0 ${WIDTH} ${WIDTH}" aria-hidden="true">
          <path class="middle" d="M${REACH + 0.5} 0V${WIDTH}M0 ${REACH + 0.5}H${WIDTH}" />
          ${
            Math.max(Math.abs(right), Math.abs(down)) <= REACH &&
            html`<rect class="here under" x=${right + REACH} y=${down + REACH} width="1" height="1" />
              <rect class="here" x=${right + REACH} y=${down + REACH} width="1" height="1" />`
          }
        </svg>
      </div>
      <figcaption>
        <span>Confidence in ${meant}, wherever it is shifted</span>
        <output>${shiftWords(at)}: ${value === undefined || value !== value ? "…" : percent(value)}</output>
      </figcaption>
    </figure>
  `;
}

function valueAt(values, [right, down]) {
  if (Math.max(Math.abs(right), Math.abs(down)) > REACH) return undefined;
  return values[(down + REACH) * WIDTH + right + REACH];
}

/** The map in words. */
function described(title, meant, values) {
  const high = values.filter((value) => value > 0.5).length;
  return (
    `${title}: confidence in ${meant} at shifts of ${signed(-REACH)} to ${signed(REACH)} pixels; ` +
    `above half at ${high} of ${values.length}`
  );
}
