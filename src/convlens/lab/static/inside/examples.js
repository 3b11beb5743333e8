/** The digits of the test set that make the chosen unit most active; one that is clicked becomes the drawing. */

import { grey } from "../colour.js";
import { SIDE, UNCHANGED } from "../drawing.js";
import { EVERYTHING, keep } from "../draw/surface.js";
import { fieldOfUnit } from "../engine/receptive_field.js";
import { mostActive } from "../engine/most_active.js";
import { bytes, testDigits } from "../library.js";
import { Pixels } from "../pixels.js";
import * as state from "../state.js";
import { html, useEffect, useRef, useState } from "../view.js";
import { decimal } from "../words.js";
import { unitWords } from "./layers.js";

const INK = { colours: grey, least: 0, most: 255 };
const NOTHING = { node: "", digits: [], found: [] };

/**
 * What a node's channels say to every test digit, as far as it is known.
 * @param {string} name of the model
 * @param {string} node
 */
function useStrongest(name, node) {
  const worker = useRef(null);
  const wanted = useRef(node);
  const [known, setKnown] = useState(NOTHING);
  const ask = (one) => {
    wanted.current = one;
    setKnown((before) => ({ node: one, digits: before.digits, found: [] }));
    worker.current?.postMessage({ node: one });
  };
  useEffect(() => {
    let left = false;
    const failed = (error) => left || setKnown({ ...NOTHING, error: error.message });
    Promise.all([bytes(name), testDigits()]).then(([content, digits]) => {
      if (left) return;
      worker.current = new Worker(new URL("active_worker.js", import.meta.url), { type: "module" });
      worker.current.addEventListener("message", ({ data }) => setKnown((before) => grown(before, data)));
      worker.current.postMessage({ content, images: digits.map((one) => one.pixels) });
      setKnown({ ...NOTHING, digits });
      ask(wanted.current);
    }, failed);
    return () => {
      left = true;
      worker.current?.terminate();
      worker.current = null;
    };
  }, [name]);
  useEffect(() => ask(node), [node]);
  return known;
}

/** Add what the worker tells, unless another node was asked for meanwhile. */
function grown(before, { node, begin, some, error }) {
  if (node !== before.node) return before;
  if (error) return { ...before, error };
  return { ...before, found: [...before.found.slice(0, begin), ...some] };
}

export function Examples({ model, name, node, unit, names }) {
  const { digits, found, error } = useStrongest(name, node.name);
  if (!unit) return html`<p class="note">Click a value in any map, to see which digits make it largest.</p>`;
  if (error) return html`<p class="problem">${error}</p>`;
  const k = unit.at(-1);
  const best = mostActive(found, k);
  const isMap = unit.length === 3;
  const what = isMap ? `map ${k + 1}` : unitWords(unit, names);
  const complete = found.length > 0 && found.length === digits.length;
  return html`
    <h3>${node.name}, ${what}</h3>
    <p class="note" role="status">
      ${complete ? `Of ${digits.length} test digits, those that make it largest` : `Looked at ${found.length} of ${digits.length || "the"} test digits`}${
        isMap ? "; the frame is where." : "."
      }
    </p>
    <div class="examples">
      ${best.map((one) => html`<${Example} key=${one.index} ...${one} digit=${digits[one.index]} model=${model} node=${node} k=${k} />`)}
    </div>
    ${complete && best[0].value === best.at(-1).value && html`<p class="note">They all give the same value: nothing here moves this unit.</p>`}
    <p class="note">Click one to draw it, and to see there how its value comes about.</p>
  `;
}

function Example({ digit, value, cell, model, node, k }) {
  const isMap = node.outputShape.length === 3;
  const [, width] = node.outputShape;
  const place = isMap ? [Math.floor(cell / width), cell % width, k] : [k];
  const field = fieldOfUnit(model.program, node.name, place);
  const [down, right] = [SIDE / model.inputShape[0], SIDE / model.inputShape[1]];
  const box = { x: field.left * right, y: field.top * down, width: (field.right - field.left) * right, height: (field.bottom - field.top) * down };
  const show = () => {
    keep(EVERYTHING);
    const unit = isMap && node.outputShape[0] * width > 1 ? place : [k];
    state.set({ drawing: digit.pixels, digit: digit.index, meant: "", ...UNCHANGED, layer: node.name, unit });
  };
  return html`
    <button type="button" onClick=${show} aria-label=${`Test digit ${digit.index}, a ${digit.label}: ${decimal(value)}`}>
      <span class="thumbnail">
        <${Pixels} values=${digit.pixels} height=${SIDE} width=${SIDE} scale=${INK} />
        <svg viewBox="0 0 ${SIDE} ${SIDE}" aria-hidden="true"><rect class="field under" ...${box} /><rect class="field" ...${box} /></svg>
      </span>
      ${decimal(value)}
    </button>
  `;
}
