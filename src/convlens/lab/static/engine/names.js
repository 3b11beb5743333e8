/** Names that were misspelt: the nearest known one is named. */

/**
 * Levenshtein's distance: the fewest insertions, deletions and replacements that turn one text into the other.
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
export function editDistance(a, b) {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    above = row;
  }
  return above[b.length];
}

/**
 * The end of an "unknown ..." message: the nearest known name, or all of them when none is close.
 * @param {string} name
 * @param {Iterable<string>} known
 * @returns {string}
 */
export function nearest(name, known) {
  const choices = [...known].sort();
  const short = name.slice(0, 100); // a damaged name may be megabytes long
  const distances = choices.map((one) => editDistance(short, one));
  const best = distances.indexOf(Math.min(...distances));
  if (best >= 0 && distances[best] <= 0.4 * Math.max(short.length, choices[best].length)) {
    return `; did you mean '${choices[best]}'?`;
  }
  return choices.length ? `; known: ${choices.join(", ")}` : "";
}
