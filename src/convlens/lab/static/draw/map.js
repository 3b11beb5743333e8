/** The map of confidence over all shifts of the drawing. */

import { viridis } from "../colour.js";
import { Pixels } from "../pixels.js";
import * as state from "../state.js";
import { html, useMemo, useState } from "../view.js";
import { percent, shiftWords, signed } from "../words.js";
import { REACH, WIDTH } from "./maps.js";

const SHARE = { colours: viridis, least: 0, most: 1 };

/**
 * @param {object} settings
 * @param {string} settings.title of the model
 * @param {import("../engine/index.js").Model} settings.model
 * @param {string} settings.meant the class whose probability is shown, by name
 * @param {import("./maps.js").Grid | undefined} settings.grid
 */
export function ShiftMap({ title, model, meant, grid }) {
  const [pointed, setPointed] = useState(null);
  const k = model.classNames.indexOf(meant);
  const above = useMemo(() => (grid?.complete && k >= 0 ? aboveHalf(grid, k) : 0), [grid, k]);
  if (!meant) return null;
  if (k < 0) return html`<p class="note">It knows no class ${meant}.</p>`;
  if (grid?.problem) return html`<p class="note">There is no map of its confidence: ${grid.problem}.</p>`;
  const known = grid?.classes === model.classes ? grid : undefined; // not that of a model before, of the same name
  const [right, down] = state.get("shift");
  const at = pointed ?? [right, down];
  const place = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const cell = (offset, size) => Math.max(-REACH, Math.min(REACH, Math.floor((offset / size) * WIDTH) - REACH));
    return [cell(event.clientX - box.left, box.width), cell(event.clientY - box.top, box.height)];
  };
  const value = known && valueAt(known, k, at);
  return html`
    <figure class="shift-map" data-complete=${String(known?.complete ?? false)}>
      <div
        class="plot"
        onPointerMove=${(event) => setPointed(place(event))}
        onPointerLeave=${() => setPointed(null)}
        onClick=${(event) => state.set({ shift: place(event) })}
      >
        ${
          known &&
          html`<${Pixels} values=${known.values} version=${known} height=${WIDTH} width=${WIDTH} scale=${SHARE}
            offset=${k} stride=${known.classes} label=${described(title, meant, known, above)} />`
        }
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
        <span>Confidence in${"\u00a0"}${meant},<br />${shiftWords(at)}:${" "}
          <output>${value === undefined ? "…" : percent(value)}</output></span>
        ${known?.complete && html`<span>above half at <b>${above} of ${WIDTH * WIDTH} shifts</b></span>`}
      </figcaption>
    </figure>
  `;
}

/** The confidence at a shift, once it is known and not only that of a shift nearby. */
function valueAt({ values, classes, steps }, k, [right, down]) {
  if (Math.max(Math.abs(right), Math.abs(down)) > REACH) return undefined;
  const cell = (down + REACH) * WIDTH + right + REACH;
  return steps[cell] === 0 ? values[cell * classes + k] : undefined;
}

/** At how many shifts the confidence is above half. */
function aboveHalf({ values, classes }, k) {
  return values.reduce((count, value, i) => count + (i % classes === k && value > 0.5 ? 1 : 0), 0);
}

/** The map in words. */
function described(title, meant, grid, above) {
  if (!grid.complete) return `${title}: confidence in ${meant} at every shift, still being computed`;
  return (
    `${title}: confidence in ${meant} at shifts of ${signed(-REACH)} to ${signed(REACH)} pixels; ` +
    `above half at ${above} of ${WIDTH * WIDTH}`
  );
}
