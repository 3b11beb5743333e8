/** An array as an image: one pixel a value, enlarged by CSS without smoothing. */

import { paint } from "./colour.js";
import { html, useLayoutEffect, useRef } from "./view.js";

/**
 * @param {object} settings
 * @param {ArrayLike<number>} settings.values
 * @param {import("./colour.js").Scale} settings.scale
 * @param {number} [settings.offset] of the first value
 * @param {number} [settings.stride] from one value to the next
 * @param {string} [settings.label] what it shows; without one it is decoration
 * @param {*} [settings.version] changes when the values change in place
 */
export function Pixels({ values, height, width, scale, offset = 0, stride = 1, label, version, ...others }) {
  const canvas = useRef(null);
  useLayoutEffect(
    () => paint(canvas.current, values, height, width, scale, offset, stride),
    [values, version, height, width, scale.colours, scale.least, scale.most, offset, stride],
  );
  const role = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return html`<canvas ref=${canvas} class="pixels" width=${width} height=${height} ...${role} ...${others}></canvas>`;
}
