/** Means with their intervals, a row for each, on one axis: drawn from the numbers, so that it is sharp at any size. */

import { html, useState } from "../view.js";
import { axisOf, tickText } from "./axis.js";

/**
 * @param {object} settings
 * @param {string} settings.title
 * @param {string} settings.unit
 * @param {{label: string, mean: number, low?: number, high?: number, text: string, strong?: boolean, mark?: string,
 *   region?: (number | null)[], dots?: (number | null)[]}[]} settings.rows
 * @param {boolean} [settings.zero] whether the axis has to show zero
 */
export function Intervals({ title, unit, rows, zero = false }) {
  const [over, setOver] = useState(null);
  const there = rows.filter((one) => one.mean !== null);
  if (!there.length) return null;
  const { least, most, ticks } = axisOf(shownValues(there, zero));
  const at = (value) => 100 * ((Math.max(least, Math.min(most, value)) - least) / (most - least));
  return html`
    <figure class="intervals" aria-label=${title} onPointerLeave=${() => setOver(null)}>
      <div class="rows">
        ${there.map(
          (one, i) => html`
            <div key=${one.label} class=${one.strong ? "row strong" : "row"} onPointerEnter=${() => setOver(i)}>
              <span class="label">${one.label}</span>
              <svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
                ${ticks.map((tick) => html`<line key=${tick} class=${tick === 0 ? "zero" : "tick"} x1=${at(tick)} x2=${at(tick)} y1="0" y2="20" />`)}
                ${one.region && html`<rect class="region" x=${at(one.region[0] ?? least)} y="1"
                  width=${Math.max(0, at(one.region[1] ?? most) - at(one.region[0] ?? least))} height="18" />`}
                ${one.dots?.map((value, j) => value !== null && html`<line key=${j} class="seed" x1=${at(value)} x2=${at(value)} y1="15.5" y2="15.5" />`)}
                ${one.low !== undefined && html`<line class="bar" x1=${at(one.low)} x2=${at(one.high)} y1="10" y2="10" />`}
                <line class="mean" x1=${at(one.mean)} x2=${at(one.mean)} y1="10" y2="10" />
              </svg>
              <span class="value"><span>${one.text}</span>${one.mark ? html` <small>${one.mark}</small>` : ""}</span>
            </div>
          `,
        )}
        <div class="row axis" aria-hidden="true">
          <span class="label">${unit}</span>
          <span class="ticks">${ticks.map((tick) => html`<span key=${tick} style=${{ left: `${at(tick)}%` }}>${tickText(tick)}</span>`)}</span>
          <span class="value">${over === null ? "" : there[over].n ? `${there[over].n} seeds` : ""}</span>
        </div>
      </div>
    </figure>
  `;
}

/** What the axis has to show. */
function shownValues(rows, zero) {
  const all = rows.flatMap((one) => [one.mean, one.low, one.high, ...(one.dots ?? []), ...(one.region ?? []), zero ? 0 : null]);
  return all.filter((one) => one !== null && one !== undefined);
}
