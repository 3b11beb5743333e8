/** What validation's images were taken for: a table of counts; a cell opens its images. */

import { colourOf, inkOn, viridis } from "../colour.js";
import * as state from "../state.js";
import { html, useEffect, useRef, useState } from "../view.js";
import { grouped } from "../words.js";
import { Pictures } from "./picture.js";
import { ask } from "./trainings.js";

export function Confusion({ training, row, does }) {
  const classes = training.start?.classes ?? row.confusion.map((_, i) => String(i));
  const given = state.get("cell");
  const cell = !training.recorded && given?.length === 2 && given.every((one) => one >= 0 && one < classes.length) ? given : null;
  const images = useImages(training, row, cell, does);
  const wrong = row.confusion.flatMap((counts, i) => counts.filter((_, j) => i !== j));
  const scale = { colours: viridis, least: 0, most: Math.max(1, ...wrong) };
  const [at, setAt] = useState(cell ?? [0, 0]); // the cell that Tab goes to
  const table = useRef(null);
  const walk = (event) => {
    const by = STEPS[event.key];
    if (!by || training.recorded) return;
    event.preventDefault();
    const [i, j] = at.map((one, axis) => Math.max(0, Math.min(classes.length - 1, one + by[axis])));
    setAt([i, j]);
    table.current.rows[i + 1].cells[j + 1].firstChild.focus();
  };
  const open = (i, j) => () => {
    setAt([i, j]);
    state.set({ cell: [i, j] });
  };
  return html`
    <div class="confusion">
      <h3>Validation, after step ${grouped(row.step)}</h3>
      <div class="scroll" tabindex=${training.recorded ? 0 : null} role="region" aria-label="Confusion matrix">
        <table ref=${table} onKeyDown=${walk}>
          <caption>Rows: what it is. Columns: what it is taken for.${training.recorded ? "" : " A cell shows its images; arrow keys go from cell to cell."}</caption>
          <thead><tr><td></td>${classes.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
          <tbody>
            ${row.confusion.map(
              (counts, i) => html`<tr key=${i}><th scope="row">${classes[i]}</th>
                ${counts.map((count, j) => html`<${Cell} key=${j} count=${count} right=${i === j} scale=${scale} first=${at[0] === i && at[1] === j}
                  label=${`${classes[i]} taken for ${classes[j]}: ${count}`} chosen=${cell?.[0] === i && cell?.[1] === j}
                  open=${training.recorded ? null : open(i, j)} />`)}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${cell && html`<${Images} cell=${cell} classes=${classes} images=${images} />`}
    </div>
  `;
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The images of a cell, asked of the server; null until they are there. */
function useImages(training, row, cell, does) {
  const [images, setImages] = useState(null);
  useEffect(() => {
    let gone = false;
    setImages(null);
    if (cell) {
      does(async () => {
        const found = await ask(`/${training.name}/cell?epoch=${row.epoch}&true=${cell[0]}&predicted=${cell[1]}`);
        if (!gone) setImages(found);
      });
    }
    return () => {
      gone = true;
    };
  }, [training.name, row.epoch, cell?.join()]);
  return images;
}

function Cell({ count, right, scale, first, label, chosen, open }) {
  const shade = !right && count ? { background: colourOf(count, scale), color: inkOn(count, scale) } : {};
  const kind = [right ? "right" : "", chosen ? "chosen" : ""].join(" ").trim();
  if (!open) return html`<td class=${kind} style=${shade}>${count || ""}</td>`;
  return html`<td class=${kind}><button type="button" style=${shade} tabindex=${first ? 0 : -1} aria-label=${label} aria-pressed=${chosen} onClick=${open}>${count || ""}</button></td>`;
}

function Images({ cell: [i, j], classes, images }) {
  if (!images) return html`<p class="note" role="status">Loading its images…</p>`;
  const many = images.count > images.indexes.length ? `, the first ${images.indexes.length} of ${grouped(images.count)}` : "";
  const what = i === j ? `${classes[i]}, read right` : `${classes[i]}, taken for ${classes[j]}`;
  return html`
    <div class="cell-images">
      <p role="status"><b>${what}</b>: ${images.count === 1 ? "1 image" : `${grouped(images.count)} images`}${many}</p>
      <${Pictures} images=${images} labels=${images.indexes.map((index) => `validation image ${index}`)} />
    </div>
  `;
}
