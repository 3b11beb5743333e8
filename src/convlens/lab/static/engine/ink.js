/** Masks and blocks of ink: what `convlens.pictures.ink` does, on flat arrays (H * W). */

/** @typedef {{data: Float32Array, height: number, width: number}} Grey */
/** @typedef {{data: Uint8Array, height: number, width: number}} Mask */

/**
 * The means of blocks of factor x factor pixels; blocks at the far edges may be smaller.
 * @param {Grey} grey
 * @param {number} factor
 * @returns {Grey}
 */
export function reduced({ data, height, width }, factor) {
  if (factor <= 1) return { data, height, width };
  const [rows, columns] = [Math.ceil(height / factor), Math.ceil(width / factor)];
  const sums = new Float64Array(rows * columns);
  const counts = new Float64Array(rows * columns);
  for (let i = 0, at = 0; i < height; i++) {
    for (let j = 0; j < width; j++, at++) {
      const block = Math.floor(i / factor) * columns + Math.floor(j / factor);
      sums[block] += data[at];
      counts[block] += 1;
    }
  }
  return { data: Float32Array.from(sums, (sum, at) => sum / counts[at]), height: rows, width: columns };
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
 * A rectangle of an image, with 0 where the mask is 0.
 * @param {Grey} grey
 * @param {Mask} mask
 * @param {number} top
 * @param {number} left
 * @param {number} height
 * @param {number} width
 * @returns {Grey}
 */
export function part(grey, mask, top, left, height, width) {
  const data = new Float32Array(height * width);
  for (let i = 0, at = 0; i < height; i++) {
    let from = (top + i) * grey.width + left;
    for (let j = 0; j < width; j++, at++, from++) if (mask.data[from]) data[at] = grey.data[from];
  }
  return { data, height, width };
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
