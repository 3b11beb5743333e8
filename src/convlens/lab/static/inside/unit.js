/** One unit's arithmetic: the kernel laid on its patch, product by product, and what becomes of the sum. */

import { diverging, scaleOf } from "../colour.js";
import { fieldOfUnit } from "../engine/receptive_field.js";
import { unitArithmetic } from "../engine/unit.js";
import { Pixels } from "../pixels.js";
import { html, useEffect, useMemo, useState } from "../view.js";
import { decimal, grouped } from "../words.js";
import { placeIn, unitWords } from "./layers.js";

const MOST_ROWS = 12; // products in the table of a unit that reads many values

/** What a unit sees of the network's input, as a rectangle. */
export const fieldOf = (model, node, unit) => fieldOfUnit(model.program, node.name, placeIn(unit, node.outputShape));

export function Unit({ model, look, node, unit, names }) {
  const found = useMemo(
    () => unit && unitArithmetic(model, look.values, node.name, placeIn(unit, node.outputShape)),
    [model, look, node, unit],
  );
  if (!found) return html`<p class="note">Click a value in any map, or move to it with the arrow keys, to see how it comes about.</p>`;
  const isWindow = found.shape.length === 3 && found.shape[0] * found.shape[1] > 1;
  return html`
    <h3>${node.name}, ${unitWords(unit, names)}</h3>
    <p class="note">${story(found)}</p>
    ${isWindow ? html`<${Windowed} found=${found} />` : html`<${Products} found=${found} />`}
    <${Sum} found=${found} />
  `;
}

/** What is added up, in a sentence. */
function story({ node, op, reads, products, shape }) {
  const from = reads.join(" and ");
  const count = grouped(products.length);
  const words = {
    dense: `All ${count} values of ${from}, each times its weight.`,
    max_pool2d: `The largest of ${count} values of ${from}.`,
    average_pool2d: `The mean of ${count} values of ${from}.`,
    reshape: `The same value of ${from}.`,
    add: `The sum of the values of ${from}.`,
    batch_norm: `The value of ${from}, scaled and moved by what training measured.`,
    dropout: `The same value of ${from}.`,
  };
  const size = shape.length === 3 ? `${shape[0]} × ${shape[1]} pixels of ${shape[2]} ${shape[2] > 1 ? "maps" : "map"}` : count;
  return words[op] ?? `${node} reads ${size} of ${from}, each times a weight: ${count} products.`;
}

/** Patch, kernel and products of one input map at a time. */
function Windowed({ found }) {
  const { shape, patch, kernel, products, padding, reads } = found;
  const [height, width, channels] = shape;
  const [channel, setChannel] = useState(0);
  const [step, setStep] = useState(-1);
  const c = Math.min(channel, channels - 1);
  const cells = height * width;
  useEffect(() => setStep(-1), [found]);
  const scales = useMemo(() => [scaleOf(patch), signedScale(kernel), signedScale(products)], [found]);
  const shared = { height, width, channel: c, channels, step };
  const partial = step < 0 ? null : sumUpTo(found, c, step);
  return html`
    ${
      channels > 1 &&
      html`<label class="slider-row"><span>Input map</span>
        <input type="range" min="1" max=${channels} value=${c + 1} onInput=${(event) => setChannel(event.target.value - 1)} />
        <output>${c + 1} of ${channels}</output></label>`
    }
    <div class="product">
      <${Matrix} title=${reads[0]} values=${patch} scale=${scales[0]} padding=${padding} ...${shared} />
      <span class="sign" aria-hidden="true">×</span>
      <${Matrix} title="kernel" values=${kernel} scale=${scales[1]} ...${shared} />
      <span class="sign" aria-hidden="true">=</span>
      <${Matrix} title="products" values=${products} scale=${scales[2]} ...${shared} />
    </div>
    <div class="stepper" role="group" aria-label="Step through the products">
      <button type="button" onClick=${() => setStep(Math.max(-1, step - 1))} disabled=${step < 0}>Back</button>
      <button
        type="button"
        onClick=${() => {
          if (step + 1 < cells) setStep(step + 1);
          else if (c + 1 < channels) {
            setChannel(c + 1);
            setStep(0);
          }
        }}
        disabled=${step + 1 >= cells && c + 1 >= channels}
      >
        Step
      </button>
      <output aria-live="polite">${partial === null ? "Step through the products one by one." : partial}</output>
    </div>
  `;
}

/** The product of one step, and the sum up to it, in words. */
function sumUpTo({ patch, kernel, products, shape }, channel, step) {
  const channels = shape[2];
  const cells = shape[0] * shape[1];
  let sum = 0;
  for (let c = 0; c <= channel; c++) {
    for (let cell = 0; cell < (c < channel ? cells : step + 1); cell++) sum += products[cell * channels + c];
  }
  const at = step * channels + channel;
  return `${decimal(patch[at])} × ${decimal(kernel[at])} = ${decimal(products[at])}; so far ${decimal(sum)}`;
}

function signedScale(values) {
  const size = values.reduce((most, one) => Math.max(most, Math.abs(one)), 0) || 1;
  return { colours: diverging, least: -size, most: size };
}

/** A small matrix with its numbers. */
function Matrix({ title, values, scale, padding, height, width, channel, channels, step }) {
  return html`
    <figure class="matrix">
      <table style=${{ "--columns": width }}>
        <caption>${title}</caption>
        <tbody>
          ${Array.from({ length: height }, (_, u) => html`
            <tr key=${u}>
              ${Array.from({ length: width }, (_, v) => {
                const at = (u * width + v) * channels + channel;
                const classes = [padding?.[at] ? "padding" : "", u * width + v === step ? "now" : ""].join(" ");
                return html`<td key=${v} class=${classes} style=${cellStyle(values[at], scale)} title=${padding?.[at] ? "padding" : null}>
                  ${short(values[at])}</td>`;
              })}
            </tr>
          `)}
        </tbody>
      </table>
    </figure>
  `;
}

/** Text that is dark on light colours, and light on dark ones. */
function cellStyle(value, { colours, least, most }) {
  const i = 3 * Math.max(0, Math.min(255, Math.round(((value - least) / (most - least)) * 255)));
  const [red, green, blue] = colours.subarray(i, i + 3);
  const bright = luminance(red, green, blue) > 0.18; // where black and white contrast equally (WCAG 2)
  return { background: `rgb(${red} ${green} ${blue})`, color: bright ? "#000" : "#fff" };
}

function luminance(...channels) {
  const [red, green, blue] = channels.map((one) => {
    const share = one / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const short = (value) => (value === 0 ? "0" : value.toFixed(Math.abs(value) < 9.995 ? 2 : 1).replace("-", "−"));

/** The largest products of a unit that reads a vector. */
function Products({ found }) {
  const { patch, kernel, products } = found;
  const order = useMemo(
    () => [...products.keys()].sort((a, b) => Math.abs(products[b]) - Math.abs(products[a])).slice(0, MOST_ROWS),
    [found],
  );
  const rest = products.reduce((sum, one) => sum + one, 0) - order.reduce((sum, at) => sum + products[at], 0);
  return html`
    <table class="products">
      <caption class="unseen">The products that add most</caption>
      <thead><tr><th scope="col">value</th><th scope="col">reads</th><th scope="col">times</th><th scope="col">gives</th></tr></thead>
      <tbody>
        ${order.map(
          (at) => html`<tr key=${at}><th scope="row">${at + 1}</th><td>${decimal(patch[at])}</td><td>${decimal(kernel[at])}</td>
            <td>${decimal(products[at])}</td></tr>`,
        )}
        ${
          products.length > order.length &&
          html`<tr><th scope="row">${grouped(products.length - order.length)} others</th><td></td><td></td><td>${decimal(rest)}</td></tr>`
        }
      </tbody>
    </table>
  `;
}

/** Sum, bias, value, activation. */
function Sum({ found }) {
  const { node, bias, total, value, activation, activated } = found;
  return html`
    <dl class="sum">
      <div><dt>sum of the products</dt><dd>${decimal(total - bias)}</dd></div>
      <div><dt>+ bias</dt><dd>${decimal(bias)}</dd></div>
      <div class="total"><dt>= ${node}</dt><dd data-value=${value}>${decimal(value)}</dd></div>
      ${activation && html`<div class="total"><dt>${activation}</dt><dd data-activated=${activated}>${decimal(activated)}</dd></div>`}
    </dl>
  `;
}
