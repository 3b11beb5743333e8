/** How numbers are written. */

/** A share as a percentage, with as many digits as tell it from 0 and 1. @param {number} share */
export function percent(share) {
  // never broken before the sign
  if (share > 0 && share < 0.0005) return "<\u00a00.1\u00a0%";
  if (share < 1 && share > 0.9995) return ">\u00a099.9\u00a0%";
  return `${(100 * share).toFixed(share < 0.1 || share > 0.9 ? 1 : 0)}\u00a0%`;
}

/** A value of a network, with four digits that count. @param {number} value */
export function decimal(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(2) : value.toPrecision(4);
  return text.replace("-", "−");
}

/** Words as a sentence. @param {string} words */
export const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;

/** A whole number with its sign. @param {number} value */
export const signed = (value) => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0");

const GROUPED = new Intl.NumberFormat("en"); // made once: that is slow

/** @param {number} value */
export const grouped = (value) => GROUPED.format(value);

/** The size of a file. @param {number} bytes */
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** @param {number[]} shape */
export const shapeText = (shape) => shape.join(" × ");

/** A shift as a reader would say it. @param {[number, number]} shift (right, down) */
export function shiftWords([right, down]) {
  const parts = [];
  if (right) parts.push(`${Math.abs(right)} ${right > 0 ? "right" : "left"}`);
  if (down) parts.push(`${Math.abs(down)} ${down > 0 ? "down" : "up"}`);
  return parts.join(", ") || "not shifted";
}
