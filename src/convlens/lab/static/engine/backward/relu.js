/**
 * dy passes where x was positive; the derivative at 0 is taken as 0.
 * @returns {import("../ops/op.js").Backward}
 */
export const relu = () => (dy, [dx], [x]) => {
  for (let at = 0; at < dy.length; at++) if (x[at] > 0) dx[at] += dy[at];
};
