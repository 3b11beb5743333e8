import { pointwise } from "./op.js";

/** y = x1 + x2 */
export const add = pointwise(
  () => ([one, other], y) => {
    for (let at = 0; at < y.length; at++) y[at] = one[at] + other[at];
  },
  { inputs: 2 },
);
