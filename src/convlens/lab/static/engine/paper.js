/**
 * Ink told from its paper, in a picture of dark ink on light paper or of light ink on dark paper: what
 * `convlens.pictures.ink` does, without its care for shadows, ruled lines and frames.
 *
 * The border is taken for paper. A smooth surface, which allows for uneven light, is fitted to it and then to all that is
 * like it; ink is what departs from that surface. Both polarities are tried: the clearer one wins.
 */

import { quantile, reduced } from "./ink.js";

const COARSE = 48; // cells along the longer side of the grid on which the paper is found
const FITS = 4; // times that the ink is found and the paper fitted to the rest
const EVEN = 6; // grey levels: paper that varies by less is of one tone

/** @typedef {import("./ink.js").Grey} Grey */

/**
 * @param {Grey} grey 0 to 255
 * @returns {{ink: Float32Array, isDark: boolean}} (H, W), 0 to 255, light on black; and whether the ink was dark
 */
export function inkOnPaper(grey) {
  const cells = reduced(grey, Math.ceil(Math.max(grey.height, grey.width) / COARSE));
  const basis = basisOf(cells.height, cells.width);
  const [light, dark] = [1, -1].map((sign) => against(cells, basis, sign));
  const isDark = dark.clearness > light.clearness;
  const { coefficients } = isDark ? dark : light;
  const ink = new Float32Array(grey.data.length);
  for (let i = 0, at = 0; i < grey.height; i++) {
    const y = place(i, grey.height);
    for (let j = 0; j < grey.width; j++, at++) {
      const above = grey.data[at] - sum(coefficients, terms(y, place(j, grey.width)));
      ink[at] = Math.min(255, Math.max(0, Math.round(isDark ? -above : above)));
    }
  }
  return { ink, isDark };
}

/** The paper for one assumed polarity, and how clearly ink stands out from it: its contrast over the paper's unrest. */
function against(cells, basis, sign) {
  const values = Float64Array.from(cells.data);
  const border = [...values.keys()].filter((at) => {
    const [i, j] = [Math.floor(at / cells.width), at % cells.width];
    return i === 0 || j === 0 || i === cells.height - 1 || j === cells.width - 1;
  });
  let blank = border;
  let coefficients = fitted(values, basis, border, 3);
  for (let fit = 0; fit < FITS; fit++) {
    const ink = departures(values, basis, coefficients, sign);
    const least = Math.max(0.15 * quantile(ink, 0.99), 3 * deviation(blank.map((at) => ink[at])));
    const rest = [...ink.keys()].filter((at) => ink[at] <= least);
    blank = rest.length >= 0.2 * values.length ? rest : border;
    coefficients = fitted(values, basis, blank, blank === border ? 1 : basis[0].length);
  }
  const ink = departures(values, basis, coefficients, sign);
  return { coefficients, clearness: quantile(ink, 0.99) / (deviation(blank.map((at) => ink[at])) + 1) };
}

const departures = (values, basis, coefficients, sign) => values.map((one, at) => sign * (one - sum(coefficients, basis[at])));

/** The spread of values around their median, as a standard deviation, whatever a few outliers are. */
function deviation(values) {
  const middle = quantile(values, 0.5);
  return 1.4826 * quantile(values.map((one) => Math.abs(one - middle)), 0.5);
}

/** A coordinate of a pixel, or cell, from -1 to 1. */
const place = (at, size) => (2 * (at + 0.5)) / size - 1;

const terms = (y, x) => [1, y, x, y * y, y * x, x * x];

function basisOf(height, width) {
  const found = [];
  for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) found.push(terms(place(i, height), place(j, width)));
  return found;
}

const sum = (coefficients, row) => coefficients.reduce((total, one, k) => total + one * row[k], 0);

/**
 * Coefficients of the first terms, by least squares over some cells, three times, without outliers: a stroke across the
 * border must not bend the paper. Paper of one tone has its median.
 */
function fitted(values, basis, cells, count) {
  const level = quantile(cells.map((at) => values[at]), 0.5);
  const near = cells.filter((at) => Math.abs(values[at] - level) <= EVEN);
  if (count === 1 || near.length >= 0.95 * cells.length) return [level];
  let kept = cells;
  let coefficients = [level];
  for (let round = 0; round < 3; round++) {
    coefficients = leastSquares(kept.map((at) => basis[at].slice(0, count)), kept.map((at) => values[at]));
    const off = cells.map((at) => Math.abs(values[at] - sum(coefficients, basis[at])));
    const most = Math.max(EVEN, 4 * quantile(off, 0.5));
    kept = cells.filter((_, k) => off[k] <= most);
  }
  return coefficients;
}

/** Solve the normal equations by elimination; a little is added to the diagonal, so that there is one solution. */
function leastSquares(rows, values) {
  const size = rows[0].length;
  const system = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) => rows.reduce((total, row) => total + row[i] * row[j], i === j ? 1e-6 : 0)),
    rows.reduce((total, row, k) => total + row[i] * values[k], 0),
  ]);
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) {
      const factor = system[j][i] / system[i][i]; // positive definite: no pivot is 0
      for (let k = i; k <= size; k++) system[j][k] -= factor * system[i][k];
    }
  }
  const found = new Array(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    found[i] = (system[i][size] - sum(found, system[i].slice(0, size))) / system[i][i];
  }
  return found;
}
