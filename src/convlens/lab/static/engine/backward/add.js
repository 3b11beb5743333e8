/**
 * dy goes to both inputs.
 * @returns {import("../ops/op.js").Backward}
 */
export const add = () => (dy, dinputs) => {
  for (const dx of dinputs) for (let at = 0; at < dy.length; at++) dx[at] += dy[at];
};
