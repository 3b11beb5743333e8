/**
 * dx = dy * (1 - y * y)
 * @returns {import("../ops/op.js").Backward}
 */
export const tanh = () => (dy, [dx], _inputs, y) => {
  for (let at = 0; at < dy.length; at++) dx[at] += dy[at] * (1 - y[at] * y[at]);
};
