/**
 * Sums of products with weights, whose innermost loop runs over output channels: these lie side by side in every `w` of
 * a saved model. Eight sums are kept in registers, in double precision.
 */

/**
 * y[o] = b[o] + sum over n < count of values[n] * w[places[n], o]
 * @param {{values: Float64Array, places: Int32Array}} gathered
 * @param {number} count
 * @param {{w: Float32Array, b: Float32Array}} arrays
 * @param {number} wAt where the matrix (K, O) begins in w
 * @param {number} bAt where its biases begin in b
 * @param {Float32Array} y
 * @param {number} yAt
 * @param {number} outputs O
 */
export function weightedSums({ values, places }, count, { w, b }, wAt, bAt, y, yAt, outputs) {
  let o = 0;
  for (; o + 8 <= outputs; o += 8) {
    const begin = bAt + o;
    let s0 = b[begin], s1 = b[begin + 1], s2 = b[begin + 2], s3 = b[begin + 3];
    let s4 = b[begin + 4], s5 = b[begin + 5], s6 = b[begin + 6], s7 = b[begin + 7];
    for (let n = 0; n < count; n++) {
      const x = values[n];
      const at = wAt + places[n] * outputs + o;
      s0 += x * w[at];
      s1 += x * w[at + 1];
      s2 += x * w[at + 2];
      s3 += x * w[at + 3];
      s4 += x * w[at + 4];
      s5 += x * w[at + 5];
      s6 += x * w[at + 6];
      s7 += x * w[at + 7];
    }
    const to = yAt + o;
    y[to] = s0, y[to + 1] = s1, y[to + 2] = s2, y[to + 3] = s3;
    y[to + 4] = s4, y[to + 5] = s5, y[to + 6] = s6, y[to + 7] = s7;
  }
  for (; o < outputs; o++) {
    let sum = b[bAt + o];
    for (let n = 0; n < count; n++) sum += values[n] * w[wAt + places[n] * outputs + o];
    y[yAt + o] = sum;
  }
}

/**
 * The adjoint with respect to the values: dx[k] += sum over o of dy[o] * w[k, o], for k < size.
 * @param {Float64Array} dy
 * @param {number} dyAt
 * @param {number} outputs O
 * @param {Float32Array} w
 * @param {number} wAt
 * @param {Float64Array} dx
 * @param {number} dxAt
 * @param {number} size
 */
export function addTransposed(dy, dyAt, outputs, w, wAt, dx, dxAt, size) {
  for (let k = 0, at = wAt; k < size; k++) {
    let sum = 0;
    for (let o = 0; o < outputs; o++, at++) sum += dy[dyAt + o] * w[at];
    dx[dxAt + k] += sum;
  }
}

/**
 * Whether a stretch of an array is 0 throughout: then it has no gradient to send back.
 * @param {Float64Array} values
 * @param {number} begin
 * @param {number} count
 * @returns {boolean}
 */
export function allZero(values, begin, count) {
  for (let at = begin; at < begin + count; at++) if (values[at] !== 0) return false;
  return true;
}
