/** The weights of a layer: of one unit, by input channel; or all kernels, where there is one input channel. */

import { scaleOf } from "../colour.js";
import { Pixels } from "../pixels.js";
import { html, useMemo } from "../view.js";
import { decimal } from "../words.js";

/**
 * The weights that one unit reads, as images.
 * @param {import("../engine/index.js").Model} model
 * @param {import("../engine/program.js").Node} node
 * @param {number[] | null} unit
 * @returns {{values: Float32Array, height: number, width: number, offset: number, stride: number, title: string}[]}
 */
export function kernels(model, node, unit) {
  const w = node.parameters.w;
  if (!w) return [];
  if (node.op === "dense") return denseKernels(model, node, unit?.[0] ?? 0);
  const position = node.op === "local2d" ? [unit?.[0] ?? 0, unit?.[1] ?? 0] : null;
  const [height, width, channels, outputs] = w.shape.slice(-4);
  const start = position ? (position[0] * w.shape[1] + position[1]) * height * width * channels * outputs : 0;
  const images = { values: w.data, height, width, stride: channels * outputs };
  if (channels === 1) {
    return Array.from({ length: outputs }, (_, o) => ({ ...images, offset: start + o, title: `kernel ${o + 1}` }));
  }
  const o = unit?.[2] ?? 0;
  const offset = (c) => start + c * outputs + o;
  return Array.from({ length: channels }, (_, c) => ({ ...images, offset: offset(c), title: `for map ${c + 1}` }));
}

/** A dense unit's weights, in the shape of the maps that it reads, if it reads maps. */
function denseKernels(model, node, o) {
  const [size, outputs] = node.parameters.w.shape;
  const before = model.nodes.find((one) => one.name === node.inputs[0]);
  const shape = before?.op === "reshape" ? before.inputShapes[0] : [size];
  const [height, width, channels] = shape.length === 3 ? shape : [Math.ceil(size / 32), Math.min(32, size), 1];
  if (height * width * channels !== size) return [];
  return Array.from({ length: channels }, (_, c) => ({
    values: node.parameters.w.data, height, width, offset: c * outputs + o, stride: channels * outputs,
    title: channels === 1 ? `unit ${o + 1}` : `for map ${c + 1}`,
  }));
}

/** The values of an image, one after the other. */
const valuesOf = ({ values, height, width, offset, stride }) =>
  Array.from({ length: height * width }, (_, place) => values[offset + place * stride]);

export function Filters({ model, node, unit }) {
  const found = useMemo(() => kernels(model, node, unit), [model, node, unit]);
  const scale = useMemo(() => scaleOf(found.flatMap(valuesOf)), [found]);
  if (!found.length) return html`<p class="note">${node.name} has no weights. Choose a convolution, or a dense layer.</p>`;
  const all = node.op !== "dense" && node.parameters.w.shape.at(-2) === 1;
  return html`
    <p class="note">
      ${all ? `The ${found.length} kernels of ${node.name}` : `The weights of ${node.name}, unit ${(unit?.at(-1) ?? 0) + 1}`};
      orange below 0, purple above, up to ±${decimal(scale.most)}.
    </p>
    <div class=${found.length < 3 ? "kernels few" : "kernels"}>
      ${found.map(
        ({ title, ...image }, i) => html`
          <figure key=${i} class=${all && unit?.[2] === i ? "chosen" : ""}>
            <${Pixels} ...${image} scale=${scale} label=${title} />
            <figcaption>${i + 1}</figcaption>
          </figure>
        `,
      )}
    </div>
  `;
}
