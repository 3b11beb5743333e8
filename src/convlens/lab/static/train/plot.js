/** A plot of several curves over the steps, by uPlot: a line for each, or mean and band for several seeds. */

import { PALETTE } from "../colour.js";
import uPlot from "../vendor/uPlot.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../view.js";

export { colourOfGroup } from "../colour.js";

/**
 * @typedef {object} Curve
 * @property {string} label
 * @property {number} colour its place in the palette
 * @property {number[][]} points step and value
 * @property {boolean} [dots] of validation
 * @property {number[][]} [band] step, lowest and highest value
 */

const isDark = () => {
  const theme = document.documentElement.dataset.theme;
  return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
};

/** @param {{title: string, curves: Curve[], least?: number, most?: number, format: (value: number) => string}} settings */
export function Plot({ title, curves, least, most, format }) {
  const place = useRef(null);
  const plot = useRef(null);
  const [at, setAt] = useState(null);
  const dark = useDark();
  const shape = JSON.stringify([curves.map(({ label, colour, dots, band }) => [label, colour, dots, Boolean(band)]), least, most, dark]);
  const data = joined(curves);
  useLayoutEffect(() => {
    const box = place.current;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16; // a canvas knows no rem
    const height = 240 * rem;
    plot.current = new uPlot(options(curves, { least, most, format, dark, rem, height, width: box.clientWidth, tell: setAt }), data, box);
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height }));
    watch.observe(box);
    return () => {
      watch.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [data.length, ...sizes(curves)]);
  const ends = curves.filter((one) => one.points.length).map((one) => `${one.label}: ${format(one.points.at(-1)[1])}`);
  return html`
    <figure class="plot">
      <figcaption>${title}</figcaption>
      <div ref=${place} role="img" aria-label=${`${title}. Last values: ${ends.join("; ") || "none yet"}`}></div>
      <p class="readout" aria-hidden="true">${at === null ? "Point at a curve for its values." : readout(curves, at, format)}</p>
    </figure>
  `;
}

const sizes = (curves) => [curves.map(({ points }) => `${points.length}:${points.at(-1)}`).join("|")];

function useDark() {
  const [dark, setDark] = useState(isDark);
  useEffect(() => {
    const look = () => setDark(isDark());
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const watch = new MutationObserver(look);
    scheme.addEventListener("change", look);
    watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      scheme.removeEventListener("change", look);
      watch.disconnect();
    };
  }, []);
  return dark;
}

/** The curves as columns over the steps of all of them. */
function joined(curves) {
  const tables = curves.flatMap(({ points, band }) => [
    [points.map(([x]) => x), points.map(([, y]) => y)],
    ...(band ? [[band.map(([x]) => x), band.map((one) => one[2])], [band.map(([x]) => x), band.map((one) => one[1])]] : []),
  ]);
  return tables.length ? uPlot.join(tables) : [[], []];
}

function options(curves, { least, most, format, dark, rem, height, width, tell }) {
  const palette = PALETTE[dark ? "dark" : "light"];
  const [ink, line] = dark ? ["#a9b1bb", "#343b43"] : ["#565e68", "#dadee3"];
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: `${12 * rem}px system-ui, sans-serif` };
  const [series, bands] = [[{}], []];
  for (const { colour, dots, band } of curves) {
    const stroke = palette[colour % palette.length];
    series.push({ stroke, width: (dots ? 2 : 1.5) * rem, spanGaps: true, points: { show: Boolean(dots), size: 7 * rem, fill: stroke } });
    if (band) {
      bands.push({ series: [series.length, series.length + 1], fill: `${stroke}38` });
      series.push({ stroke: null, points: { show: false }, spanGaps: true }, { stroke: null, points: { show: false }, spanGaps: true });
    }
  }
  if (!curves.length) series.push({});
  return {
    width: Math.max(width, 200), height, series, bands, legend: { show: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => bounds(low, high, least, most) } },
    axes: [{ ...axis, label: "step", labelSize: 18 * rem, size: 38 * rem, labelFont: axis.font },
      { ...axis, size: 58 * rem, values: (_, all) => all.map((one) => format(one, true)) }],
    cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
    hooks: { setCursor: [(one) => tell(one.cursor.idx === null || one.cursor.idx === undefined ? null : one.data[0][one.cursor.idx])] },
  };
}

function bounds(low, high, least, most) {
  if (low === null || high === null) return [least ?? 0, most ?? 1];
  const space = (high - low || 1) * 0.05;
  return [least ?? Math.max(0, low - space), most ?? high + space];
}

/** The values of the curves at a step, or at the last one before it. */
function readout(curves, step, format) {
  const parts = curves.map(({ label, points }) => {
    const found = points.findLast(([x]) => x <= step);
    return found && html`<span key=${label}>${label} <b>${format(found[1])}</b></span>`;
  });
  return html`step <b>${step.toLocaleString("en")}</b> ${parts}`;
}
