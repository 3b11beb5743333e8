/** What validation's images were taken for: a table of counts; a cell opens its images. */

import { colourOf, grey, viridis } from "../colour.js";
import { Pixels } from "../pixels.js";
import { html, useEffect, useState } from "../view.js";
import { ask } from "./trainings.js";

export function Confusion({ training, row, does }) {
  const [cell, setCell] = useState(null);
  const [images, setImages] = useState(null);
  const classes = training.start?.classes ?? row.confusion.map((_, i) => String(i));
  useEffect(() => {
    setImages(null);
    if (!cell || training.recorded) return;
    const [i, j] = cell;
    does(async () => setImages(await ask(`/${training.name}/cell?epoch=${row.epoch}&true=${i}&predicted=${j}`)));
  }, [cell, row.epoch]);
  const wrong = row.confusion.flatMap((counts, i) => counts.filter((_, j) => i !== j));
  const scale = { colours: viridis, least: 0, most: Math.max(1, ...wrong) };
  return html`
    <div class="confusion">
      <h3>Validation, after step ${row.step.toLocaleString("en")}</h3>
      <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
        <table>
          <caption>Rows: what it is. Columns: what it is taken for.${training.recorded ? "" : " A cell shows its images."}</caption>
          <thead><tr><td></td>${classes.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
          <tbody>
            ${row.confusion.map(
              (counts, i) => html`<tr key=${i}><th scope="row">${classes[i]}</th>
                ${counts.map((count, j) => html`<${Cell} key=${j} count=${count} right=${i === j} scale=${scale}
                  label=${`${classes[i]} taken for ${classes[j]}: ${count}`} chosen=${cell?.[0] === i && cell?.[1] === j}
                  open=${training.recorded ? null : () => setCell([i, j])} />`)}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${cell && html`<${Images} cell=${cell} classes=${classes} images=${images} />`}
    </div>
  `;
}

function Cell({ count, right, scale, label, chosen, open }) {
  const shade = !right && count ? { background: colourOf(count, scale), color: count > 0.55 * scale.most ? "#000" : "#fff" } : {};
  const kind = [right ? "right" : "", chosen ? "chosen" : ""].join(" ").trim();
  if (!open) return html`<td class=${kind} style=${shade}>${count || ""}</td>`;
  return html`<td class=${kind}><button type="button" style=${shade} aria-label=${label} aria-pressed=${chosen} onClick=${open}>${count || ""}</button></td>`;
}

function Images({ cell: [i, j], classes, images }) {
  if (!images) return html`<p class="note" role="status">Loading its images…</p>`;
  const [height, width, channels] = images.shape;
  const bytes = Uint8Array.from(atob(images.pixels), (one) => one.charCodeAt(0));
  const many = images.count > images.indexes.length ? `, the first ${images.indexes.length} of ${images.count.toLocaleString("en")}` : "";
  const what = i === j ? `${classes[i]}, read right` : `${classes[i]}, taken for ${classes[j]}`;
  return html`
    <div class="cell-images">
      <p role="status"><b>${what}</b>: ${images.count === 1 ? "1 image" : `${images.count.toLocaleString("en")} images`}${many}</p>
      <div class="grid">
        ${images.indexes.map((index, place) => html`<${Pixels} key=${index} values=${bytes} height=${height} width=${width}
          scale=${{ colours: grey, least: 0, most: 255 }} offset=${place * height * width * channels} stride=${channels}
          label=${`validation image ${index}`} version=${`${i} ${j}`} />`)}
      </div>
    </div>
  `;
}
