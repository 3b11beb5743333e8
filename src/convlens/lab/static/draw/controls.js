/** What can be done to the drawing: tools, sliders, shifts, and digits of the test set to pick. */

import { grey } from "../colour.js";
import { SIDE, UNCHANGED, blank } from "../drawing.js";
import { testDigits } from "../library.js";
import { Pixels } from "../pixels.js";
import * as state from "../state.js";
import { html, useEffect, useMemo, useState } from "../view.js";
import { shiftWords } from "../words.js";
import { EVERYTHING, canUndo, keep, shiftBy, undo } from "./surface.js";

const INK = { colours: grey, least: 0, most: 255 };
const TOOLS = [
  { name: "move", title: "Drag", about: "slide the digit" },
  { name: "draw", title: "Draw", about: "with the pen" },
  { name: "erase", title: "Erase", about: "take ink away" },
];
const SLIDERS = [
  { name: "turn", title: "Turn", least: -180, most: 180, step: 1, words: (value) => `${value}°` },
  { name: "size", title: "Size", least: 0.4, most: 1.6, step: 0.05, words: (value) => `${Math.round(100 * value)} %` },
  { name: "thickness", title: "Thickness", least: -1.5, most: 2, step: 0.1, words: (value) => `${value.toFixed(1)} px` },
  { name: "noise", title: "Noise", least: 0, most: 0.5, step: 0.01, words: (value) => `${Math.round(100 * value)} %` },
];

/** @param {{tool: string, choose: (tool: string) => void, centre: () => void}} settings */
export function Tools({ tool, choose, centre }) {
  const clear = () => {
    keep(EVERYTHING);
    state.set({ drawing: blank(), digit: null, ...UNCHANGED });
    choose("draw");
  };
  return html`
    <div class="tools-row">
      <fieldset class="segments">
        <legend class="unseen">What the pointer does on the drawing</legend>
        ${TOOLS.map(
          (one) => html`
            <label key=${one.name} title=${one.about}>
              <input type="radio" name="tool" checked=${tool === one.name} onChange=${() => choose(one.name)} />
              <span>${one.title}</span>
            </label>
          `,
        )}
      </fieldset>
      <button type="button" onClick=${undo} disabled=${!canUndo()}>Undo</button>
      <button type="button" onClick=${clear}>Clear</button>
      <button type="button" onClick=${centre} title="Make it like the digits that the networks were trained on">
        Centre it
      </button>
    </div>
  `;
}

/** Arrows that shift the drawing: what dragging does, for those who cannot drag. */
export function ShiftPad() {
  const shift = state.get("shift");
  return html`
    <div class="shift-pad" role="group" aria-label="Shift the drawing">
      <button type="button" aria-label="Shift left" onClick=${() => shiftBy(-1, 0)}>←</button>
      <button type="button" aria-label="Shift up" onClick=${() => shiftBy(0, -1)}>↑</button>
      <button type="button" aria-label="Shift down" onClick=${() => shiftBy(0, 1)}>↓</button>
      <button type="button" aria-label="Shift right" onClick=${() => shiftBy(1, 0)}>→</button>
      <output>${shiftWords(shift)}</output>
      <button
        type="button"
        class="quiet"
        disabled=${!shift[0] && !shift[1]}
        onClick=${() => state.set({ shift: [0, 0] })}
      >
        Back
      </button>
    </div>
  `;
}

export function Sliders() {
  const changed = SLIDERS.some(({ name }) => state.get(name) !== UNCHANGED[name]);
  const { shift, ...others } = UNCHANGED;
  return html`
    <div class="sliders">
      ${SLIDERS.map(
        ({ name, title, least, most, step, words }) => html`
          <label key=${name}>
            <span>${title}</span>
            <input
              type="range"
              min=${least}
              max=${most}
              step=${step}
              value=${state.get(name)}
              aria-valuetext=${words(state.get(name))}
              onInput=${(event) => state.set({ [name]: Number(event.target.value) })}
            />
            <output>${words(state.get(name))}</output>
          </label>
        `,
      )}
      <button type="button" class="quiet" disabled=${!changed} onClick=${() => state.set(others)}>
        As drawn
      </button>
    </div>
  `;
}

/** Ten test digits, one of each class, and buttons for other ones. @param {{picked: () => void}} settings */
export function Samples({ picked }) {
  const [digits, setDigits] = useState([]);
  const [page, setPage] = useState(0);
  useEffect(() => {
    testDigits().then(setDigits, () => {}); // without them the page works all the same
  }, []);
  const classes = useMemo(() => {
    const labels = [...new Set(digits.map((one) => one.label))].sort((a, b) => a - b);
    return labels.map((label) => digits.filter((one) => one.label === label));
  }, [digits]);
  if (!digits.length) return null;
  const pick = (one) => {
    keep(["drawing", "digit", "meant"]);
    state.set({ drawing: one.pixels, digit: one.index, meant: "" });
    picked();
  };
  return html`
    <section class="samples" aria-labelledby="samples-title">
      <h2 id="samples-title">Digits that no network was trained on</h2>
      <button type="button" class="quiet" onClick=${() => setPage(page + 1)}>Ten others</button>
      <div class="thumbnails">
        ${classes.map((all) => {
          const one = all[page % all.length];
          return html`
            <button
              type="button"
              key=${one.label}
              aria-label=${`Test digit ${one.index}, a ${one.label}`}
              aria-pressed=${String(state.get("digit") === one.index)}
              onClick=${() => pick(one)}
            >
              <${Pixels} values=${one.pixels} height=${SIDE} width=${SIDE} scale=${INK} />
            </button>
          `;
        })}
      </div>
    </section>
  `;
}
