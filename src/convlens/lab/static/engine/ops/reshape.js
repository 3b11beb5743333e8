import { pointwise } from "./op.js";

/** The same values in another shape, row-major. */
export const reshape = { ...pointwise(() => ([x], y) => y.set(x)), outputShape: () => null };
