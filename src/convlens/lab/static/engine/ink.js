/** Masks and blocks of ink: what `convlens.pictures.ink` does, on flat arrays (H * W). */

/** @typedef {{data: Float32Array, height: number, width: number}} Grey */
/** @typedef {{data: Uint8Array, height: number, width: number}} Mask */

/**
 * The means of blocks of factor x factor pixels of a rectangle; blocks at its far edges may be smaller.
 * @param {Grey} grey
 * @param {number} factor
 * @param {[number, number]} [rows] the first, and the first beyond the last; all, if left out
 * @param {[number, number]} [columns]
 * @returns {Grey}
 */
export function reduced(grey, factor, rows = [0, grey.height], columns = [0, grey.width]) {
  const [height, width] = [rows, columns].map(([first, last]) => Math.ceil((last - first) / factor));
  const data = new Float32Array(height * width);
  for (let i = 0, to = 0; i < height; i++) {
    const [top, bottom] = [rows[0] + i * factor, Math.min(rows[0] + (i + 1) * factor, rows[1])];
    for (let j = 0; j < width; j++, to++) {
      const left = columns[0] + j * factor;
      const right = Math.min(left + factor, columns[1]);
      let sum = 0;
      for (let row = top; row < bottom; row++) {
        for (let at = row * grey.width + left; at < row * grey.width + right; at++) sum += grey.data[at];
      }
      data[to] = sum / ((bottom - top) * (right - left));
    }
  }
  return { data, height, width };
}

/**
 * A mask of the pixels for which a function of the value holds.
 * @param {Grey} grey
 * @param {(value: number) => boolean} test
 * @returns {Mask}
 */
export function maskOf({ data, height, width }, test) {
  const found = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at++) if (test(data[at])) found[at] = 1;
  return { data: found, height, width };
}

/**
 * Dilate a mask by one pixel, diagonals included.
 * @param {Mask} mask
 * @returns {Mask}
 */
export function widened({ data, height, width }) {
  const across = new Uint8Array(data.length);
  for (let i = 0, at = 0; i < height; i++) {
    for (let j = 0; j < width; j++, at++) {
      across[at] = data[at] | (j > 0 ? data[at - 1] : 0) | (j < width - 1 ? data[at + 1] : 0);
    }
  }
  const both = across.slice();
  for (let at = width; at < both.length; at++) both[at] |= across[at - width];
  for (let at = width; at < both.length; at++) both[at - width] |= across[at];
  return { data: both, height, width };
}

/** The places around one, and itself, that are in the image. */
function around({ height, width }, at) {
  const [i, j] = [Math.floor(at / width), at % width];
  const places = [];
  for (let row = Math.max(i - 1, 0); row <= Math.min(i + 1, height - 1); row++) {
    for (let column = Math.max(j - 1, 0); column <= Math.min(j + 1, width - 1); column++) {
      places.push(row * width + column);
    }
  }
  return places;
}

/**
 * Label the 8-connected parts of a mask: from 1 on, 0 outside.
 * @param {Mask} mask
 * @returns {{labels: Int32Array, count: number}}
 */
export function blobs(mask) {
  const labels = new Int32Array(mask.data.length);
  let count = 0;
  for (let first = 0; first < labels.length; first++) {
    if (!mask.data[first] || labels[first]) continue;
    labels[first] = ++count;
    const open = [first];
    while (open.length) {
      for (const near of around(mask, open.pop())) {
        if (!mask.data[near] || labels[near]) continue;
        labels[near] = count;
        open.push(near);
      }
    }
  }
  return { labels, count };
}

/**
 * The sum of values for each label from 1 on.
 * @param {Int32Array} labels
 * @param {number} count
 * @param {ArrayLike<number>} values
 * @returns {Float64Array} by label - 1
 */
export function massOf(labels, count, values) {
  const mass = new Float64Array(count);
  for (let at = 0; at < labels.length; at++) if (labels[at]) mass[labels[at] - 1] += values[at];
  return mass;
}

/**
 * [first, last + 1] of a mask's rows and of its columns; the full ranges if it is empty.
 * @param {Mask} mask
 * @returns {[[number, number], [number, number]]}
 */
export function extent({ data, height, width }) {
  let top = height, bottom = 0, left = width, right = 0;
  for (let i = 0, at = 0; i < height; i++) {
    for (let j = 0; j < width; j++, at++) {
      if (!data[at]) continue;
      if (i < top) top = i;
      if (j < left) left = j;
      if (j >= right) right = j + 1;
      bottom = i + 1;
    }
  }
  return bottom ? [[top, bottom], [left, right]] : [[0, height], [0, width]];
}

/**
 * Dilate by the maximum within `reach` pixels; the result is larger by `reach` on every side.
 * @param {Grey} grey
 * @param {number} reach
 * @returns {Grey}
 */
export function grown({ data, height, width }, reach) {
  const [rows, columns] = [height + 2 * reach, width + 2 * reach];
  const wide = new Float32Array(height * columns);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < columns; j++) {
      const part = data.subarray(i * width + Math.max(j - 2 * reach, 0), i * width + Math.min(j + 1, width));
      wide[i * columns + j] = part.reduce((one, other) => Math.max(one, other), 0);
    }
  }
  const found = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let row = Math.max(i - 2 * reach, 0); row <= Math.min(i, height - 1); row++) {
      for (let j = 0; j < columns; j++) {
        found[i * columns + j] = Math.max(found[i * columns + j], wide[row * columns + j]);
      }
    }
  }
  return { data: found, height: rows, width: columns };
}

/**
 * A quantile of values, linear between the two nearest.
 * @param {ArrayLike<number>} values
 * @param {number} share 0 to 1
 * @returns {number}
 */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
