import { addTransposed } from "../products.js";

/**
 * dx[d] = sum over o of dy[o] * w[d,o]
 * @returns {import("../ops/op.js").Backward}
 */
export const dense = (_node, { w }) => (dy, [dx]) => addTransposed(dy, 0, dy.length, w, 0, dx, 0, dx.length);
