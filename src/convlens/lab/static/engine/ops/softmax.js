/**
 * p[k] = exp(z[k]) / sum over j of exp(z[j]), the largest z subtracted first, so that nothing overflows.
 * @param {ArrayLike<number>} logits
 * @returns {Float32Array}
 */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Float64Array.from(logits, (z) => Math.exp(z - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}
