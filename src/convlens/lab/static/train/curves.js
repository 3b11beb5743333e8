/** Loss and accuracy of all trainings that are shown, in two plots; and the same as a table. */

import * as state from "../state.js";
import { html, useMemo } from "../view.js";
import { Plot } from "./plot.js";
import { shownAccuracy } from "./trainings.js";

export function Curves({ trainings, groups, version }) {
  const top = state.get("zoom") === "top";
  const loss = useMemo(() => curvesOf(trainings, groups, 1, "validation.loss"), [trainings.length, version]);
  const accuracy = useMemo(() => curvesOf(trainings, groups, 2, "validation.accuracy"), [trainings.length, version]);
  const smoothed = trainings.some((one) => one.configuration?.recipe.label_smoothing > 0);
  const most = useMemo(() => ceiling(loss), [loss]);
  const several = new Set(trainings.map((one) => one.group)).size < trainings.length;
  return html`
    <section class="curves" aria-labelledby="curves-title">
      <div class="title">
        <h2 id="curves-title">While they learn</h2>
        <label class="check"><input type="checkbox" checked=${top} onChange=${(event) => state.set({ zoom: event.target.checked ? "top" : "" })} /> accuracy above 90 %</label>
      </div>
      <div class="plots">
        <${Plot} title="Loss" curves=${loss} most=${most} format=${(value, short) => (short ? String(+value.toPrecision(3)) : value.toPrecision(3))} />
        <${Plot} title="Accuracy" curves=${accuracy} least=${top ? 0.9 : undefined} most=${top ? 1 : undefined}
          format=${(value, short) => (short ? `${+(100 * value).toFixed(1)} %` : shownAccuracy(value))} />
      </div>
      <p class="note">
        Thin: training, each batch before its step${several ? "; of several seeds the mean, in a band from the lowest to the highest" : ""}.
        Dots: validation. ${most ? `A loss above ${most.toPrecision(2)} is cut off. ` : ""}${smoothed ? "Labels are smoothed in training alone, so its loss stays above validation's." : ""}
      </p>
      <details class="rare"><summary>The values as a table</summary><${Values} trainings=${trainings} /></details>
    </section>
  `;
}

const FAR = 20; // times the median: a loss that grew beyond would flatten all the other curves

/** Where the plot ends if a loss went beyond all bounds; undefined if none did. */
export function ceiling(curves) {
  const all = curves.flatMap(({ points }) => points.map(([, y]) => y)).sort((a, b) => a - b);
  const most = FAR * all[all.length >> 1];
  return all.at(-1) > most ? most : undefined;
}

/** Two curves for each group: of training, and of validation. */
function curvesOf(trainings, groups, column, key) {
  return groups.flatMap((group, colour) => {
    const members = trainings.filter((one) => one.group === group);
    const trained = members.map((one) => one.points.map((point) => [point[0], point[column]]));
    const judged = members.map((one) => one.epochs.map((row) => [row.step, row[key]]));
    const label = members.length === 1 ? members[0].title : members.length ? `${shortTitle(members[0])}, ${members.length} seeds` : "";
    return [
      { ...together(trained), label, colour },
      { ...together(judged), label: `${label}, validation`, colour, dots: true },
    ].filter((one) => one.points.length);
  });
}

const shortTitle = (one) => one.title.replace(/, seed \d+$/, "");

/** One curve as it is; of several the mean where all have a value, with the band from the lowest to the highest. */
export function together(curves) {
  const there = curves.filter((one) => one.length);
  if (there.length < 2) return { points: there[0] ?? [] };
  const all = new Map();
  for (const [x, y] of there.flat()) all.set(x, [...(all.get(x) ?? []), y]);
  const whole = [...all].filter(([, values]) => values.length === there.length).sort(([a], [b]) => a - b);
  return {
    points: whole.map(([x, values]) => [x, values.reduce((sum, one) => sum + one, 0) / values.length]),
    band: whole.map(([x, values]) => [x, Math.min(...values), Math.max(...values)]),
  };
}

function Values({ trainings }) {
  const rows = trainings.flatMap((one) => one.epochs.map((row) => ({ one, row })));
  if (!rows.length) return html`<p class="note">No epoch has ended yet.</p>`;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Values after each epoch">
      <table>
        <thead><tr><th scope="col">training</th><th scope="col">seed</th><th scope="col">step</th><th scope="col">training loss</th>
          <th scope="col">validation loss</th><th scope="col">validation accuracy</th></tr></thead>
        <tbody>
          ${rows.map(
            ({ one, row }) => html`<tr key=${`${one.name} ${row.step}`}>
              <th scope="row">${one.title}</th><td>${one.configuration?.seed}</td><td>${row.step.toLocaleString("en")}</td>
              <td>${row["train.loss"] === undefined ? "–" : row["train.loss"].toPrecision(4)}</td>
              <td>${row["validation.loss"].toPrecision(4)}</td><td>${shownAccuracy(row["validation.accuracy"])}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}
