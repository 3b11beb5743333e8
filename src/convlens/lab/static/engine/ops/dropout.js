import { pointwise } from "./op.js";

/** y = x: it drops values in training alone. */
export const dropout = pointwise(() => ([x], y) => y.set(x), { attributes: ["rate"] });
