/** The configurations that have been tried, the seeds of one together: what to show in the plots, and what came of each. */

import { html } from "../view.js";
import { grouped } from "../words.js";
import { look } from "./plan.js";
import { colourOfGroup } from "./plot.js";
import { accuracies, ask, networkWords, recipeWords, shownAccuracy } from "./trainings.js";

export function Tried({ trainings, groups, hidden, show, chosen, does }) {
  const cut = trainings.filter((one) => one.state === "interrupted");
  const resume = async () => {
    for (const one of cut) await ask(`/${one.name}/resume`, { method: "POST" });
  };
  return html`
    <section class="tried" aria-labelledby="tried-title">
      <div class="title">
        <h2 id="tried-title">What has been tried</h2>
        ${cut.length > 1 && html`<button type="button" onClick=${() => does(resume)}>Resume all ${cut.length} that were interrupted</button>`}
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label="Table of the trainings">
        <table>
          <thead><tr>
            <th scope="col"><span class="unseen">in the plots</span></th><th scope="col">training</th><th scope="col">network</th>
            <th scope="col">trained with</th><th scope="col">seed</th><th scope="col">parameters</th><th scope="col">state</th>
            <th scope="col">validation, best</th><th scope="col">last</th>
          </tr></thead>
          ${groups.map((group, colour) => html`<${Group} key=${group} members=${trainings.filter((one) => one.group === group)}
            colour=${colour} hidden=${hidden} show=${show} chosen=${chosen} />`)}
        </table>
      </div>
    </section>
  `;
}

function Group({ members, colour, hidden, show, chosen }) {
  const names = members.map((one) => one.name);
  return html`
    <tbody>
      ${members.map(
        (one, place) => html`<tr key=${one.name} class=${one === chosen ? "chosen" : ""}>
          <td><label class="swatch-check"><input type="checkbox" checked=${!hidden.has(one.name)} aria-label=${`${one.title} in the plots`}
            onChange=${(event) => show(one.name, event.target.checked)} /><i class="swatch" style=${{ background: colourOfGroup(colour) }}></i></label></td>
          <th scope="row"><button type="button" class="quiet" aria-pressed=${one === chosen} onClick=${() => look(one.name)}>${one.title}</button></th>
          <td>${place ? "″" : networkWords(one.configuration)}</td>
          <td>${place ? "″" : one.configuration && recipeWords(one.configuration)}</td>
          <td>${one.configuration?.seed}</td>
          <td>${one.start ? grouped(one.start.parameters) : "–"}</td>
          <td>${one.state}</td>
          <td>${shownAccuracy(accuracies(one).best)}</td><td>${shownAccuracy(accuracies(one).last)}</td>
        </tr>`,
      )}
      ${
        names.length > 1 &&
        html`<tr class="mean"><td></td><th scope="row">mean of ${members.length} seeds</th><td></td><td></td><td></td><td></td><td></td>
          <td>${spread(members.map((one) => accuracies(one).best))}</td><td>${spread(members.map((one) => accuracies(one).last))}</td></tr>`
      }
    </tbody>
  `;
}

/** Mean and standard deviation over the seeds that have a value. */
export function spread(values) {
  const there = values.filter((one) => one !== undefined);
  if (!there.length) return "–";
  const mean = there.reduce((sum, one) => sum + one, 0) / there.length;
  if (there.length < 2) return shownAccuracy(mean);
  const deviation = Math.sqrt(there.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (there.length - 1));
  return `${(100 * mean).toFixed(2)} ± ${(100 * deviation).toFixed(2)} %`;
}
