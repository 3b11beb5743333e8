/** The fields of the state that both Draw and Inside use: the drawing, what is done to it, and its class. */

import { FARTHEST, blank, decoded, encoded } from "./drawing.js";
import * as state from "./state.js";

state.declare({
  room: state.text("draw"),
  // The drawing: a test digit by its place in the test set, or pixels. Pixels win where a link has both.
  digit: state.number(null, 0, 9999),
  drawing: { initial: blank(), parse: decoded, format: encoded },
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
  // What the drawing is meant to be, as a class's number; null: what most of the networks say
  meant: state.number(null, 0, 999),
});

/** Everything that is done to the drawing, as one object. @returns {import("./drawing.js").View} */
export function view() {
  return Object.fromEntries(["thickness", "turn", "size", "noise", "shift"].map((name) => [name, state.get(name)]));
}
