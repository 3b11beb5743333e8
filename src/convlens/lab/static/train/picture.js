/** Images that the server sends, several in a row. */

import { paintPicture } from "../colour.js";
import { html, useLayoutEffect, useMemo, useRef } from "../view.js";

/**
 * @param {object} settings
 * @param {{shape: number[], pixels: string}} settings.images (H, W, C), and the bytes of all in base64
 * @param {string[]} settings.labels one for each image
 */
export function Pictures({ images: { shape, pixels }, labels }) {
  const bytes = useMemo(() => Uint8Array.from(atob(pixels), (one) => one.charCodeAt(0)), [pixels]);
  return html`<div class="grid">
    ${labels.map((label, place) => html`<${Picture} key=${label} bytes=${bytes} place=${place} shape=${shape} label=${label} />`)}
  </div>`;
}

/** One of them, in grey or in colour. */
function Picture({ bytes, place, shape: [height, width, channels], label }) {
  const canvas = useRef(null);
  const size = height * width * channels;
  useLayoutEffect(() => paintPicture(canvas.current, bytes.subarray(place * size, (place + 1) * size), height, width), [bytes, place]);
  return html`<canvas ref=${canvas} class="pixels" width=${width} height=${height} role="img" aria-label=${label}></canvas>`;
}
