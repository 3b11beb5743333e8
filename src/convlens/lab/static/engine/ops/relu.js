import { pointwise } from "./op.js";

/** y = max(x, 0) */
export const relu = pointwise(() => ([x], y) => {
  for (let at = 0; at < y.length; at++) y[at] = x[at] > 0 ? x[at] : 0;
});
