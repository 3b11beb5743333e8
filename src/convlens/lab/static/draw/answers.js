/** What the networks say to the drawing: one card a network, with its classes and its map of shifts. */

import { html } from "../view.js";
import { grouped, percent } from "../words.js";
import { ShiftMap } from "./map.js";

/**
 * @typedef {object} Answer
 * @property {string} name of the model
 * @property {string} title
 * @property {number} parameters
 * @property {import("../engine/index.js").Model} [model]
 * @property {Float32Array} [probabilities]
 * @property {number} top the most probable class
 * @property {string} [problem] why there is no answer
 * @property {string} [note] what was done to the drawing
 */

/** @param {{answer: Answer, meant: string, grid: *}} settings `meant` is the class of the drawing, by name */
export function Card({ answer, meant, grid }) {
  return html`
    <article class="card" aria-labelledby=${`title-${answer.name}`}>
      <header>
        <h2 id=${`title-${answer.name}`}>${answer.title}</h2>
        <p>${grouped(answer.parameters)} parameters</p>
      </header>
      ${answer.problem && html`<p class="problem">${answer.problem}</p>`}
      ${!answer.problem && !answer.model && html`<p class="loading">Loading…</p>`}
      ${answer.probabilities && html`<${Answered} answer=${answer} meant=${meant} grid=${grid} />`}
    </article>
  `;
}

function Answered({ answer, meant, grid }) {
  const { model, probabilities, top } = answer;
  const wrong = meant !== "" && model.classNames.includes(meant) && model.classNames[top] !== meant;
  return html`
    <div class=${model.classNames.some((name) => name.length > SHORT_NAME) ? "verdict named" : "verdict"}>
      <p class=${wrong ? "reads misread" : "reads"}>
        <strong style=${{ "--letters": longestWord(model.classNames[top]) }}>${model.classNames[top]}</strong>
        <span>${percent(probabilities[top])}${wrong ? html`<br /><em>not ${meant}</em>` : ""}</span>
      </p>
      <${Bars} names=${model.classNames} probabilities=${probabilities} top=${top} meant=${meant} />
    </div>
    ${answer.note && html`<p class="note">${answer.note}</p>`}
    <${ShiftMap} title=${answer.title} model=${model} meant=${meant} grid=${grid} />
  `;
}

/** The number of letters that must stand in one line. */
function longestWord(name) {
  return Math.max(1, ...name.split(/[\s-]+/).map((word) => word.length));
}

const SHORT_NAME = 3; // letters, of which a column of names beside the answer has room
const MOST_BARS = 10;

/** The probability of every class, or of the most probable ones. */
function Bars({ names, probabilities, top, meant }) {
  const order = names.map((_, i) => i);
  const shown = names.length <= MOST_BARS ? order : order.sort((a, b) => probabilities[b] - probabilities[a]);
  return html`
    <table class="bars">
      <caption class="unseen">Probability of each class</caption>
      <tbody>
        ${shown.slice(0, MOST_BARS).map(
          (i) => html`
            <tr key=${names[i]} class=${i === top ? "top" : ""}>
              <th scope="row" class=${names[i] === meant ? "meant" : ""}>${names[i]}</th>
              <td style=${{ "--share": probabilities[i] }}>
                <span class="bar"></span><span class="number">${percent(probabilities[i])}</span>
              </td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
}
