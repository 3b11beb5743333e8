/**
 * Make a drawing like MNIST's digits: what `convlens.pictures.prepare_digit` does, as far as a canvas needs it. Light
 * ink on black paper is taken for granted, so there is no paper to level, no polarity to find, and no line to remove.
 *
 * MNIST's digits are scaled so that the longer side of the ink is 20 of 28 pixels, and placed so that their centre of
 * mass is the centre of the image. Source: Yann LeCun, "The MNIST database of handwritten digits".
 */

import { ConvlensError } from "./errors.js";
import { blobs, extent, massOf, maskOf, quantile, reduced, widened } from "./ink.js";
import { BOX, centreOfMass, placed, rounded } from "./placing.js";

const BLOCKS = 400; // along the longer side of the grid on which ink is separated from paper
const FINE = 160; // pixels along the longer side of the ink when it is cut out
const GRID = 64; // cells along the longer side of the grid on which specks are separated from strokes
const FAINT = 6; // grey levels: less is no ink
const PALE = 48; // grey levels: less contrast is doubtful

/** @typedef {import("./ink.js").Grey} Grey */

/**
 * @typedef {object} Prepared
 * @property {Uint8Array} pixels of the model's input shape
 * @property {string[]} done what was done, in words, in order; empty if the drawing was used as it is
 * @property {string[]} warnings why the result may be wrong
 */

/**
 * @param {Uint8Array | Uint8ClampedArray | Float32Array} ink (H, W), 0 to 255, light on black
 * @param {[number, number]} size H, W
 * @param {readonly number[]} inputShape of the model, [H, W, 1 or 3]
 * @param {number} [box] share of its shorter side that the longer side of the digit is to take
 * @returns {Prepared}
 */
export function prepareDigit(ink, [height, width], inputShape, box = BOX) {
  const [rows, columns, channels] = inputShape;
  if (![1, 3].includes(channels) || Math.min(rows, columns) < 8) {
    throw new ConvlensError(`digits are prepared for [H, W, 1 or 3] with H and W 8 or more, not [${inputShape}]`);
  }
  const grey = { data: new Float32Array(ink), height, width };
  if (isLikeMnist(grey, rows, columns, box)) return { pixels: spread(grey.data, channels), done: [], warnings: [] };
  const [done, warnings] = [[], []];
  const cut = cutOut(grey, done, warnings);
  if (!cut) return { pixels: new Uint8Array(rows * columns * channels), done, warnings };
  const result = placed(cut, rows, columns, box, done);
  warnings.push(...doubts(result, box));
  return { pixels: spread(result.data.map((value) => rounded(255 * value)), channels), done, warnings };
}

/**
 * The brightness of a canvas's pixels, laid on black.
 * @param {{data: Uint8ClampedArray, width: number, height: number}} image as of `getImageData`
 * @returns {Float32Array} (H, W), 0 to 255
 */
export function inkOfCanvas({ data, width, height }) {
  const ink = new Float32Array(width * height);
  for (let at = 0, from = 0; at < ink.length; at++, from += 4) {
    const light = 0.299 * data[from] + 0.587 * data[from + 1] + 0.114 * data[from + 2];
    ink[at] = (light * data[from + 3]) / 255;
  }
  return ink;
}

function spread(values, channels) {
  return Uint8Array.from({ length: values.length * channels }, (_, at) => values[Math.floor(at / channels)]);
}

/** Whether a drawing can be used as it is: of the right size, scale and position. */
function isLikeMnist(grey, rows, columns, box) {
  const { data, height, width } = grey;
  if (height !== rows || width !== columns) return false;
  const frame = data.filter((_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    return i === 0 || j === 0 || i === height - 1 || j === width - 1;
  });
  const inked = maskOf(grey, (value) => value > 0);
  const share = inked.data.reduce((sum, one) => sum + one, 0) / data.length;
  if (Math.max(...data) < 128 || quantile(frame, 0.5) > 0 || share > 0.6) return false;
  const [[top, bottom], [left, right]] = extent(inked);
  const wanted = box * Math.min(height, width);
  const off = Math.abs(Math.max(bottom - top, right - left) - wanted);
  const [row, column] = centreOfMass(grey);
  const centred = Math.abs(row - height / 2) <= 0.501 && Math.abs(column - width / 2) <= 0.501;
  return off <= 0.1 * wanted + 0.5 && centred;
}

/** Find and crop the digit, without specks; null and a warning if there is no ink. */
function cutOut(grey, done, warnings) {
  const { height, width } = grey;
  const step = Math.ceil(Math.max(height, width) / BLOCKS);
  const blocks = step === 1 ? grey : reduced(grey, step);
  const contrast = strength(blocks.data);
  if (contrast < FAINT) {
    warnings.push("no ink stands out from its paper");
    return null;
  }
  const found = digit(above(blocks, 0.25 * contrast), done);
  const factor = Math.max(1, Math.floor((step * found.size) / FINE));
  const { fine, top, left } = shownInk(grey, found, step, factor);
  const full = fullInk(fine.data);
  if (full < PALE) warnings.push(`there is little contrast (${full.toFixed(0)} of 255)`);
  const floor = 0.04 * full;
  const map = { ...fine, data: fine.data.map((value) => Math.min(Math.max((value - floor) / (full - floor), 0), 1)) };
  const [rows, columns] = extent(maskOf(map, (value) => value > 0.15));
  const touches = ([first, last], begin, size) => begin + first === 0 || begin + last === Math.ceil(size / factor);
  if (touches(rows, top, height) || touches(columns, left, width)) {
    warnings.push("the ink touches the edge of the picture");
  }
  const tall = Math.min(height, factor * (rows[1] - rows[0]));
  const wide = Math.min(width, factor * (columns[1] - columns[0]));
  if (tall !== height || wide !== width) done.push(`cropped ${width}x${height} to ${wide}x${tall}`);
  return { map, rows, columns };
}

/** An image with 0 in place of what is not above a threshold. */
function above({ data, height, width }, threshold) {
  const kept = new Float32Array(data.length);
  for (let at = 0; at < data.length; at++) if (data[at] > threshold) kept[at] = data[at];
  return { data: kept, height, width };
}

/**
 * The ink near the digit, in blocks of `factor` pixels, cut with a margin as wide as any resampling reaches; and where
 * it was cut, in these blocks.
 */
function shownInk(grey, { cells, cell, corner, size }, step, factor) {
  const margin = Math.ceil((step * size) / 8) + 2;
  const [down, across] = extent(cells);
  const line = ([first, last], begin, limit) => {
    const least = Math.max(step * (begin + first * cell) - margin, 0);
    return [least - (least % factor), Math.min(step * (begin + last * cell) + margin, limit)];
  };
  const [rows, columns] = [line(down, corner[0], grey.height), line(across, corner[1], grey.width)];
  const kept = { data: new Float32Array(grey.data.length), height: grey.height, width: grey.width };
  const cellAt = (place, begin) => Math.floor((Math.floor(place / step) - begin) / cell);
  for (let i = rows[0]; i < rows[1]; i++) {
    const [row, from] = [cellAt(i, corner[0]), i * grey.width];
    if (row < 0 || row >= cells.height) continue;
    for (let j = columns[0]; j < columns[1]; j++) {
      const column = cellAt(j, corner[1]);
      if (column < 0 || column >= cells.width) continue;
      if (cells.data[row * cells.width + column]) kept.data[from + j] = grey.data[from + j];
    }
  }
  return { fine: reduced(kept, factor, rows, columns), top: rows[0] / factor, left: columns[0] / factor };
}

/** The contrast of the ink: that of its brightest sixteen blocks, or fewer in a tiny picture. */
function strength(values) {
  const largest = new Float32Array(Math.min(16, Math.floor(values.length / 400) + 1)).fill(-Infinity); // rising
  for (let place = 0; place < values.length; place++) {
    const value = values[place];
    if (value <= largest[0]) continue;
    let at = 0; // take the place of the least
    for (; at + 1 < largest.length && largest[at + 1] < value; at++) largest[at] = largest[at + 1];
    largest[at] = value;
  }
  return largest[0];
}

/** The grey level in the middle of a stroke, which becomes white as in MNIST. */
function fullInk(values) {
  const top = quantile(values.filter((value) => value > 0), 0.98);
  return quantile(values.filter((value) => value > 0.5 * top), 0.85);
}

/**
 * Where the digit is: cells with a margin of two, their side and corner, and the digit's longer side, all in blocks.
 * Parts that are near each other for their size belong together, so it is looked for on a grid of `GRID` cells; if it
 * takes few of these, again on a grid of its own surroundings.
 */
function digit(ink, done) {
  let [top, left, height, width] = [0, 0, ink.height, ink.width];
  for (;;) {
    const cell = Math.ceil(Math.max(height, width) / GRID);
    const { strokes, specks } = strokesOf(reduced(ink, cell, [top, top + height], [left, left + width]));
    const [rows, columns] = extent(strokes);
    const size = cell * Math.max(rows[1] - rows[0], columns[1] - columns[0]);
    if (cell === 1 || 3 * size + 2 * cell >= Math.max(height, width)) {
      if (specks) done.push(`left out ${specks} speck${specks > 1 ? "s" : ""}`);
      return { cells: widened(widened(strokes)), cell, corner: [top, left], size };
    }
    const bottom = Math.min(top + cell * rows[1] + size, top + height);
    const right = Math.min(left + cell * columns[1] + size, left + width);
    [top, left] = [Math.max(top + cell * rows[0] - size, top), Math.max(left + cell * columns[0] - size, left)];
    [height, width] = [bottom - top, right - left];
  }
}

/** The cells of the digit, blobs with at least 6 % of the largest one's ink, and the number of the others. */
function strokesOf(cells) {
  const mask = maskOf(cells, (value) => value > 0);
  const { labels, count } = blobs(widened(mask));
  const mass = massOf(labels, count, cells.data);
  const least = 0.06 * Math.max(0, ...mass);
  const data = mask.data.map((one, at) => (one && mass[labels[at] - 1] >= least ? 1 : 0));
  return { strokes: { ...mask, data }, specks: mass.filter((one) => one < least).length };
}

/** Why the result may not be one digit. */
function doubts(image, box) {
  const found = [];
  const { labels, count } = blobs(widened(maskOf(image, (value) => value > 0.25)));
  const mass = massOf(labels, count, image.data);
  const whole = mass.reduce((sum, one) => sum + one, 0);
  const parts = mass.filter((one) => one > 0.15 * whole).length;
  if (parts > 1) found.push(`there are ${parts} separate blobs of ink; expected one digit`);
  const side = box * Math.min(image.height, image.width);
  const ink = image.data.reduce((sum, one) => sum + one, 0);
  if (ink > 0.62 * side * side) found.push("the ink fills too much for a digit");
  return found;
}
