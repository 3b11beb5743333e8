/** Every layer's maps: what each unit of the network says to the drawing. */

import { announce } from "../announce.js";
import { scaleOf } from "../colour.js";
import { Pixels } from "../pixels.js";
import { html, useMemo, useState } from "../view.js";
import { decimal, percent, shapeText } from "../words.js";

const ROW = 32; // values of a vector side by side
const LONG = 512; // values: a longer vector has twice as many in a row, and half the height
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** What an op is called, and does, in a few words. @param {import("../engine/program.js").Node} node */
export function opWords(node) {
  const size = node.window?.kernel.join(" × ");
  const words = {
    conv2d: () => `convolution, ${node.outputShape[2]} kernels of ${size}`,
    local2d: () => `locally connected, ${size}, kernels of its own at each place`,
    dense: () => `dense, ${node.outputShape[0]} units`,
    max_pool2d: () => `largest of ${size}`,
    average_pool2d: () => `mean of ${size}`,
    blur_pool2d: () => `blurred mean of ${size}`,
    batch_norm: () => "batch normalisation",
    relu: () => "negative values become 0",
    tanh: () => "tanh",
    dropout: () => "dropout (does nothing here)",
    reshape: () => "the same values, as a vector",
    add: () => "sum of two layers",
  };
  return words[node.op]?.() ?? node.op;
}

/**
 * How a value is laid out as tiles: one a channel, or one for a whole vector.
 * @param {number[]} shape
 * @param {number} [row] values of a vector side by side
 */
export function layout(shape, row = rowOfVector(shape)) {
  if (shape.length === 3 && shape[0] * shape[1] > 1) {
    const [height, width, channels] = shape;
    return { height, width, tiles: channels, stride: channels, isMap: true };
  }
  const size = shape.reduce((product, one) => product * one, 1);
  const width = Math.min(size, row);
  return { height: Math.ceil(size / width), width, tiles: 1, stride: 1, isMap: false, size };
}

function rowOfVector(shape) {
  return shape.reduce((product, one) => product * one, 1) > LONG ? 2 * ROW : ROW;
}

/** Values of a vector side by side: of an image of one channel, its rows. */
function rowOf({ op, outputShape, inputShapes: [before] }) {
  const isImage = op === "reshape" && before.length === 3 && before[2] === 1 && before[1] > 1;
  return isImage ? before[1] : rowOfVector(outputShape);
}

/** The unit at a place of a tile, as the state has it: [row, column, channel], or [number]. */
function unitAt({ isMap, width, size }, row, column, tile) {
  if (isMap) return [row, column, tile];
  const place = row * width + column;
  return place < size ? [place] : null;
}

/** The place of a unit among a node's values, row-major. */
export function placeOf(unit, { isMap, width, tiles }) {
  return isMap ? (unit[0] * width + unit[1]) * tiles + unit[2] : unit[0];
}

/** A unit as the engine has it: maps of a single pixel are shown as a vector, but have rows and columns there. */
export const placeIn = (unit, shape) => (unit.length === shape.length ? unit : [0, 0, unit[0]]);

/** Whether a unit is one of a node's. @param {number[] | null} unit @param {number[]} shape */
export function belongs(unit, shape) {
  const { isMap, height, width, tiles, size } = layout(shape);
  const limits = isMap ? [height, width, tiles] : [size];
  return unit !== null && unit.length === limits.length && unit.every((one, axis) => one >= 0 && one < limits[axis]);
}

/** A unit in words. @param {number[]} unit @param {string[] | null} names of classes, for the last layer */
export function unitWords(unit, names = null) {
  if (unit.length === 1) return names ? `class ${names[unit[0]]}` : `unit ${unit[0] + 1}`;
  return `map ${unit[2] + 1}, row ${unit[0] + 1}, column ${unit[1] + 1}`;
}

/**
 * @param {object} settings
 * @param {import("../engine/program.js").Node} settings.node
 * @param {import("../engine/model.js").Value} settings.value
 * @param {string[] | null} settings.names of the classes, if the node is the last
 * @param {number[] | null} settings.unit the chosen one, if it is this node's
 * @param {(unit: number[]) => void} settings.choose
 * @param {{error: number | null, kind: string} | undefined} settings.meter
 */
export function Layer({ node, value, names, unit, choose, meter }) {
  const [pointed, setPointed] = useState(null);
  const plan = useMemo(() => layout(value.shape, rowOf(node)), [node]);
  const scale = useMemo(() => scaleOf(value.data), [value]);
  const shown = pointed ?? unit;
  const at = (event) => {
    const tile = event.target.closest("[data-tile]");
    if (!tile) return null;
    const box = tile.getBoundingClientRect();
    const cell = (offset, size, count) => Math.max(0, Math.min(count - 1, Math.floor((offset / size) * count)));
    const row = cell(event.clientY - box.top, box.height, plan.height);
    return unitAt(plan, row, cell(event.clientX - box.left, box.width, plan.width), Number(tile.dataset.tile));
  };
  const pick = (event) => {
    const found = at(event);
    if (found) choose(found);
  };
  const key = (event) => {
    const next = moved(event.key, unit, plan);
    if (!next) return;
    event.preventDefault();
    choose(next);
    announce(`${unitWords(next, names)}: ${decimal(value.data[placeOf(next, plan)])}`);
  };
  const what = plan.isMap ? `${plan.tiles} maps` : `${plan.size} values`;
  return html`
    <section class=${unit ? "layer chosen" : "layer"} aria-labelledby=${`layer-${node.name}`}>
      <header>
        <h3 id=${`layer-${node.name}`}>${node.name}</h3>
        <p>${opWords(node)}</p>
        <p class="shape">${shapeText(value.shape)}</p>
        <${Meter} meter=${meter} />
      </header>
      <div
        class=${plan.isMap ? "maps" : "maps vector"}
        tabindex="0"
        role="application"
        aria-label=${`${node.name}: ${what}. Arrows choose a unit${plan.isMap ? ", page up and down its map" : ""}.`}
        onPointerMove=${(event) => setPointed(at(event))}
        onPointerLeave=${() => setPointed(null)}
        onClick=${pick}
        onKeyDown=${key}
      >
        <${Tiles} value=${value} plan=${plan} scale=${scale} unit=${unit} />
      </div>
      <p class="readout">
        ${shown
          ? html`${unitWords(shown, names)}: <b>${decimal(value.data[placeOf(shown, plan)])}</b>`
          : html`${decimal(scale.least)} to ${decimal(scale.most)}`}
      </p>
    </section>
  `;
}

function Tiles({ value, plan, scale, unit }) {
  const { height, width, tiles, stride, isMap, size } = plan;
  const values = useMemo(() => {
    if (isMap || size === height * width) return value.data;
    const padded = new Float32Array(height * width).fill(NaN); // the last row of a vector is not full
    padded.set(value.data);
    return padded;
  }, [value]);
  const chosen = unit && (isMap ? { tile: unit[2], row: unit[0], column: unit[1] } : vectorCell(unit[0], width));
  return Array.from({ length: tiles }, (_, tile) => html`
    <div key=${tile} data-tile=${tile} class="tile" style=${isMap ? null : { "--cells": width }}>
      <${Pixels} values=${values} height=${height} width=${width} scale=${scale} offset=${isMap ? tile : 0} stride=${stride} />
      ${
        chosen?.tile === tile &&
        html`<svg viewBox=${`0 0 ${width} ${height}`} aria-hidden="true">
          <rect class="here under" x=${chosen.column} y=${chosen.row} width="1" height="1" />
          <rect class="here" x=${chosen.column} y=${chosen.row} width="1" height="1" />
        </svg>`
      }
    </div>
  `);
}

const vectorCell = (place, width) => ({ tile: 0, row: Math.floor(place / width), column: place % width });

/** The unit that a key moves to; undefined for other keys. */
function moved(key, unit, plan) {
  const { height, width, tiles, isMap, size } = plan;
  const inside = (value, count) => Math.max(0, Math.min(count - 1, value));
  if (isMap) {
    const [row, column, tile] = unit ?? [Math.floor(height / 2), Math.floor(width / 2), 0];
    if (key === "PageUp" || key === "PageDown") return [row, column, inside(tile + (key === "PageDown" ? 1 : -1), tiles)];
    if (!(key in ARROWS)) return undefined;
    return unit ? [inside(row + ARROWS[key][0], height), inside(column + ARROWS[key][1], width), tile] : [row, column, tile];
  }
  if (!(key in ARROWS)) return undefined;
  return [unit ? inside(unit[0] + ARROWS[key][0] * width + ARROWS[key][1], size) : 0];
}

/** How far the layer is from moving its map with the drawing. */
function Meter({ meter }) {
  if (!meter) return null;
  const text = meter.error === null ? "–" : percent(meter.error);
  const share = Math.min(1, meter.error ?? 0);
  return html`
    <p class="meter" title="Relative error of equivariance, or of invariance, under the present shift">
      <span class="gauge" style=${{ "--share": share }} aria-hidden="true"></span>
      <span>${meter.kind === "invariance" ? "changed by" : "off by"} ${text}</span>
    </p>
  `;
}
