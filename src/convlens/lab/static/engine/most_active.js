/** The images that make a unit most active: what it looks for, shown by examples; of a map, every channel is a unit. */

/**
 * The largest value of every channel of a node's value, and where in its map that is: the first of equals.
 * @param {import("./model.js").Value} value
 * @returns {{values: Float32Array, cells: Int32Array}} a number for each channel; `cells` count row by row
 */
export function strongest({ shape, data }) {
  const channels = shape.at(-1);
  const values = Float32Array.from(data.subarray(0, channels));
  const cells = new Int32Array(channels);
  for (let at = channels, cell = 1; at < data.length; at += channels, cell++) {
    for (let k = 0; k < channels; k++) {
      if (data[at + k] <= values[k]) continue;
      values[k] = data[at + k];
      cells[k] = cell;
    }
  }
  return { values, cells };
}

/**
 * The images that make a unit most active, the strongest first; of equals, the first image.
 * @param {{values: Float32Array, cells: Int32Array}[]} found of every image
 * @param {number} k the unit
 * @param {number} [count]
 * @returns {{index: number, value: number, cell: number}[]}
 */
export function mostActive(found, k, count = 9) {
  const order = [...found.keys()].sort((a, b) => found[b].values[k] - found[a].values[k]);
  return order.slice(0, count).map((index) => ({ index, value: found[index].values[k], cell: found[index].cells[k] }));
}
