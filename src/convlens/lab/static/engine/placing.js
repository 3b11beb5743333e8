/** The second half of preparing a digit: scaled to its box, with its centre of mass in the middle of the image. */

import { grown, maskOf, reduced } from "./ink.js";
import { resized } from "./resize.js";

/** Share of the image that the longer side of a digit takes. */
export const BOX = 20 / 28;

const [THIN, PEN] = [1.2, 2.0]; // strokes thinner than the first are widened to the second, in pixels of 28

/**
 * @typedef {object} Cut the ink, from 0 to 1, and the rows and columns that bound the digit
 * @property {import("./ink.js").Grey} map
 * @property {[number, number]} rows the first, and the first beyond the last
 * @property {[number, number]} columns
 */

/**
 * Scale the digit to its box and put its centre of mass in the middle.
 * @param {Cut} cut
 * @param {number} height of the image
 * @param {number} width
 * @param {number} box share of its shorter side that the longer side of the digit is to take
 * @param {string[]} done what was done is added, in words
 * @returns {import("./ink.js").Grey} from 0 to 1
 */
export function placed(cut, height, width, box, done) {
  const side = rounded(box * Math.min(height, width));
  const unit = (28 * BOX) / (box * Math.min(height, width));
  const { map, rows, columns } = thickened(cut, side, unit, done);
  const [tall, wide] = [rows[1] - rows[0], columns[1] - columns[0]];
  const scale = side / Math.max(tall, wide);
  const [newTall, newWide] = [tall, wide].map((size) => Math.max(1, rounded(size * scale)));
  const scaled = resized(map.data, [map.height, map.width], rows, columns, newTall, newWide);
  const small = { data: scaled.map((value) => Math.min(Math.max(value, 0), 1)), height: newTall, width: newWide };
  if (newTall !== tall || newWide !== wide) done.push(`scaled to ${newWide}x${newTall}`);
  const brightest = Math.max(...small.data);
  if (brightest > 0 && brightest < 0.9) {
    small.data = small.data.map((value) => value / brightest);
    done.push("made brighter");
  }
  return centred(small, height, width, done);
}

/** As in MNIST: the centre of mass, to whole pixels, on pixel (14, 14), counted from 0. */
function centred(small, height, width, done) {
  const [row, column] = centreOfMass(small);
  const down = Math.min(Math.max(rounded(height / 2 - row), 0), height - small.height);
  const right = Math.min(Math.max(rounded(width / 2 - column), 0), width - small.width);
  const middle = [Math.floor((height - small.height) / 2), Math.floor((width - small.width) / 2)];
  const signed = (value) => (value < 0 ? String(value) : `+${value}`);
  done.push(`centred by mass, shifted (${signed(right - middle[1])}, ${signed(down - middle[0])})`);
  const data = new Float32Array(height * width);
  for (let i = 0; i < small.height; i++) {
    data.set(small.data.subarray(i * small.width, (i + 1) * small.width), (down + i) * width + right);
  }
  return { data, height, width };
}

/** Widen strokes that would almost vanish when scaled down; MNIST's strokes are about two pixels wide. */
function thickened(cut, side, unit, done) {
  const [[top, bottom], [left, right]] = [cut.rows, cut.columns];
  const pixel = Math.max(bottom - top, right - left) / side / unit; // one pixel of 28, in pixels of the crop
  const box = reduced(cut.map, 1, cut.rows, cut.columns);
  const width = strokeWidth(maskOf(box, (value) => value > 0.3)) / pixel;
  const reach = rounded(((PEN - width) * pixel) / 2);
  if (width >= THIN || reach < 1) return cut;
  done.push(`thickened its strokes from ${width.toFixed(1)} to ${PEN.toFixed(1)} pixels`);
  return { map: grown(cut.map, reach), rows: [top, bottom + 2 * reach], columns: [left, right + 2 * reach] };
}

/**
 * The mean stroke width in pixels, from how fast the mask vanishes under repeated erosion. A stroke of width w has
 * areas proportional to w, w - 2, w - 4, ...; their sum over the first is about (w + 2) / 4. The sum of all areas is
 * that of the distances: a pixel at distance d from the nearest outside the mask is in the first d areas.
 */
function strokeWidth(mask) {
  const total = distances(mask).reduce((sum, one) => sum + one, 0);
  const area = mask.data.reduce((sum, one) => sum + one, 0);
  return Math.max((4 * total) / Math.max(area, 1) - 2, 0.5);
}

/** The chessboard distance of each pixel from the nearest outside the mask, or the image: two passes over the image. */
function distances({ data, height, width }) {
  const row = width + 2;
  const found = new Int32Array((height + 2) * row);
  for (let i = 1; i <= height; i++) {
    for (let j = 1, at = i * row + 1; j <= width; j++, at++) {
      if (!data[(i - 1) * width + j - 1]) continue;
      const above = at - row;
      found[at] = 1 + Math.min(found[at - 1], found[above - 1], found[above], found[above + 1]);
    }
  }
  for (let i = height; i >= 1; i--) {
    for (let j = width, at = i * row + width; j >= 1; j--, at--) {
      const below = at + row;
      const least = Math.min(found[at + 1], found[below - 1], found[below], found[below + 1]);
      if (found[at] > least) found[at] = least + 1;
    }
  }
  return found;
}

/**
 * Row and column of the centre of mass, counted from the middle of pixel (0, 0).
 * @param {import("./ink.js").Grey} grey
 * @returns {[number, number]}
 */
export function centreOfMass({ data, width }) {
  let [total, down, right] = [0, 0, 0];
  for (let at = 0; at < data.length; at++) {
    total += data[at];
    down += data[at] * Math.floor(at / width);
    right += data[at] * (at % width);
  }
  return [down / total, right / total];
}

/**
 * To the nearest whole number, halves to the even one, as Python rounds.
 * @param {number} value
 * @returns {number}
 */
export function rounded(value) {
  const down = Math.floor(value);
  if (value - down === 0.5) return down % 2 === 0 ? down : down + 1;
  return Math.round(value);
}
