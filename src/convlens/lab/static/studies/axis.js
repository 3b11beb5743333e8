/** The axes of the figures: their ends, and round values on them. */

const FEWEST = 3; // round values on an axis

/**
 * The ends of an axis, and round values on it.
 * @param {number[]} values that it has to show
 * @returns {{least: number, most: number, ticks: number[]}}
 */
export function axisOf(values) {
  let [least, most] = [Math.min(...values), Math.max(...values)];
  const space = (most - least || Math.abs(most) || 1) * 0.06;
  [least, most] = [least - space, most + space];
  const power = 10 ** Math.ceil(Math.log10(most - least));
  const steps = [1, 0.5, 0.25, 0.2, 0.1, 0.05, 0.025, 0.02].map((one) => one * power);
  const between = (step) => Math.floor(most / step) - Math.ceil(least / step) + 1;
  const step = steps.find((one) => between(one) >= FEWEST) ?? steps.at(-1);
  const ticks = Array.from({ length: between(step) }, (_, i) => (Math.ceil(least / step) + i) * step);
  return { least, most, ticks };
}

/** A round value as it stands on an axis. @param {number} value */
export const tickText = (value) => (+value.toPrecision(6)).toLocaleString("en").replace("-", "−");

/** A measured value without its unit, as reports write it. @param {number | null} value @param {string} unit */
export function figure(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "%") return value.toFixed(2).replace("-", "−");
  return (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : `${+value.toPrecision(4)}`).replace("-", "−");
}
