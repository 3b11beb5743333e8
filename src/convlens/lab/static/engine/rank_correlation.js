/**
 * Spearman's rank correlation: Pearson's, of the ranks; equal values have the mean of their ranks.
 * @param {ArrayLike<number>} one
 * @param {ArrayLike<number>} other as many
 * @returns {number | null} null if one of them is constant
 */
export function rankCorrelation(one, other) {
  const [a, b] = [ranks(one), ranks(other)];
  const middle = (one.length - 1) / 2; // the mean of any ranks
  let [both, ofA, ofB] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    both += (a[at] - middle) * (b[at] - middle);
    ofA += (a[at] - middle) ** 2;
    ofB += (b[at] - middle) ** 2;
  }
  return ofA > 0 && ofB > 0 ? both / Math.sqrt(ofA * ofB) : null;
}

function ranks(values) {
  const order = Int32Array.from(values, (_, at) => at).sort((one, other) => values[one] - values[other]);
  const found = new Float64Array(values.length);
  for (let begin = 0, end; begin < order.length; begin = end) {
    for (end = begin + 1; end < order.length && values[order[end]] === values[order[begin]]; end++);
    for (let at = begin; at < end; at++) found[order[at]] = (begin + end - 1) / 2;
  }
  return found;
}
