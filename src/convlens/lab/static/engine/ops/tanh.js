import { pointwise } from "./op.js";

/** y = tanh(x) */
export const tanh = pointwise(() => ([x], y) => {
  for (let at = 0; at < y.length; at++) y[at] = Math.tanh(x[at]);
});
