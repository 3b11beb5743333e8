/** *Centre it*: make the drawing like the digits that the networks were trained on. */

import { SIDE, UNCHANGED } from "../drawing.js";
import { prepareDigit } from "../engine/digits.js";
import * as state from "../state.js";
import { sentence } from "../words.js";
import { EVERYTHING, keep } from "./surface.js";

/**
 * Replace the drawing by what `convlens predict` would make of it, and say what was done.
 * @param {Uint8Array} pixels what the networks see now
 * @returns {string} in words
 */
export function centre(pixels) {
  const { pixels: drawing, done, warnings } = prepareDigit(pixels, [SIDE, SIDE], [SIDE, SIDE, 1]);
  const words = [...done, ...warnings.map((one) => `but ${one}`)].join(", ");
  if (!done.length) return words ? sentence(words) : "It is like the training digits already.";
  keep(EVERYTHING);
  state.set({ drawing, digit: null, ...UNCHANGED });
  return sentence(words);
}
