/** The fields of the state that both Draw and Inside use: the drawing, what is done to it, and its class. */

import { FARTHEST, decoded, encoded } from "./drawing.js";
import { testDigits } from "./library.js";
import * as state from "./state.js";

state.declare({
  room: state.text("draw"),
  // The pixels of the drawing; none yet: an example is shown
  drawing: { initial: null, parse: decoded, format: (pixels) => (pixels ? encoded(pixels) : "") },
  // The place in the test set of the digit that the drawing is, unchanged
  digit: state.number(null, 0, 9999),
  thickness: state.number(0, -1.5, 2, 0.1),
  turn: state.number(0, -180, 180),
  size: state.number(1, 0.4, 1.6, 0.05),
  noise: state.number(0, 0, 0.5, 0.01),
  shift: {
    ...state.numbers([0, 0], 2, FARTHEST),
    parse: (text) => {
      const found = state.numbers([0, 0], 2, FARTHEST).parse(text);
      return found?.length === 2 ? found : undefined;
    },
  },
  // The class that the drawing is meant to be, by name; none: the test digit's label, or what most of the networks say
  meant: state.text(""),
});

const EXAMPLE = 7;

/** Where nothing is drawn yet, show a test digit. */
export async function showExample() {
  const all = await testDigits().catch(() => []); // without them the page works all the same
  const example = all.find((one) => one.label === EXAMPLE);
  if (state.get("drawing") === null && example) state.set({ drawing: example.pixels, digit: example.index });
}

/** Everything that is done to the drawing, as one object. @returns {import("./drawing.js").View} */
export function view() {
  return Object.fromEntries(["thickness", "turn", "size", "noise", "shift"].map((name) => [name, state.get(name)]));
}
