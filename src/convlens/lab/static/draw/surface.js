/** The surface on which one draws and drags: by mouse, touch, pen and keyboard. */

import { grey } from "../colour.js";
import { FARTHEST, SIDE, UNCHANGED, placeBefore, stroked } from "../drawing.js";
import { view } from "../fields.js";
import { Pixels } from "../pixels.js";
import * as state from "../state.js";
import { html, useEffect, useRef, useState } from "../view.js";

const INK = { colours: grey, least: 0, most: 255 };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LAST = 100; // drawings that can be brought back

const DRAWING = ["drawing", "digit"];
/** The drawing, its class, and all that is done to it. */
export const EVERYTHING = [...DRAWING, "meant", ...Object.keys(UNCHANGED)];

/** @type {Record<string, *>[]} */
const before = [];

/** Keep what is about to be changed, for `undo`. @param {string[]} names fields of the state */
export function keep(names = DRAWING) {
  before.push(Object.fromEntries(names.map((name) => [name, state.get(name)])));
  if (before.length > LAST) before.shift();
}

/** Bring back the drawing before the last change. */
export function undo() {
  if (before.length) state.set(before.pop());
}

export const canUndo = () => before.length > 0;

/** Shift the drawing by some pixels. */
export function shiftBy(right, down) {
  const limited = (value) => Math.max(-FARTHEST, Math.min(FARTHEST, value));
  const [x, y] = state.get("shift");
  state.set({ shift: [limited(x + right), limited(y + down)] });
}

/**
 * @param {object} settings
 * @param {Uint8Array} settings.pixels what the networks see
 * @param {"draw" | "erase" | "move"} settings.tool
 * @param {string} [settings.help] id of the words on how it is used
 * @param {*} [settings.children] drawn above it, in an SVG of 28 x 28
 */
export function Surface({ pixels, tool, help = "surface-help", children }) {
  const surface = useRef(null);
  const drag = useRef(null);
  const [cursor, setCursor] = useState(null); // {x, y, down} of the keyboard's pen
  useEffect(() => setCursor(null), [tool]);

  const place = (event) => {
    const box = surface.current.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE - 0.5, ((event.clientY - box.top) / box.height) * SIDE - 0.5];
  };
  const down = (event) => {
    // of several fingers, or of a pen and the hand that holds it, the first draws; the others would carry its stroke away
    if (drag.current || !event.isPrimary || event.button !== 0 || state.get("drawing") === null) return;
    surface.current.setPointerCapture(event.pointerId);
    const at = place(event);
    drag.current = { id: event.pointerId, last: at, start: at, shift: state.get("shift") };
    setCursor(null);
    if (tool !== "move") {
      keep();
      draw(at, at, tool);
    }
  };
  const move = (event) => {
    if (drag.current?.id !== event.pointerId) return;
    if (tool === "move") {
      const [x, y] = place(event);
      const { start, shift } = drag.current;
      state.set({ shift });
      shiftBy(Math.round(x - start[0]), Math.round(y - start[1]));
      return;
    }
    const several = event.getCoalescedEvents?.() ?? [];
    for (const one of several.length ? several : [event]) {
      const at = place(one);
      draw(drag.current.last, at, tool);
      drag.current.last = at;
    }
  };
  const up = (event) => {
    if (drag.current?.id === event.pointerId) drag.current = null;
  };
  const key = (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") undo();
    else if (event.altKey || event.ctrlKey || event.metaKey) return;
    else if (event.key in ARROWS) arrow(ARROWS[event.key], tool, cursor, setCursor);
    else if (tool !== "move" && (event.key === " " || event.key === "Enter")) pen(tool, cursor, setCursor);
    else if (event.key === "Escape" && cursor) setCursor(null);
    else return;
    event.preventDefault();
  };
  return html`
    <div
      ref=${surface}
      class=${`surface ${tool}`}
      tabindex="0"
      role="application"
      aria-label="Drawing, ${SIDE} by ${SIDE} pixels"
      aria-describedby=${help}
      onPointerDown=${down}
      onPointerMove=${move}
      onPointerUp=${up}
      onPointerCancel=${up}
      onLostPointerCapture=${up}
      onKeyDown=${key}
    >
      <${Pixels} values=${pixels} height=${SIDE} width=${SIDE} scale=${INK} />
      <svg viewBox="0 0 ${SIDE} ${SIDE}" aria-hidden="true">
        <path class="middle" d="M14 0V28M0 14H28" />
        ${cursor && html`<circle class=${cursor.down ? "pen down" : "pen"} cx=${cursor.x + 0.5} cy=${cursor.y + 0.5} r="1.4" />`}
        ${children}
      </svg>
    </div>
  `;
}

/** Draw or erase along a line of the surface. */
function draw(from, to, tool) {
  const seen = view();
  const drawing = stroked(state.get("drawing"), placeBefore(from, seen), placeBefore(to, seen), tool === "erase");
  state.set({ drawing, digit: null });
}

function arrow([right, down], tool, cursor, setCursor) {
  if (tool === "move") {
    shiftBy(right, down);
    return;
  }
  const at = cursor ?? { x: (SIDE - 1) / 2, y: (SIDE - 1) / 2, down: false };
  const inside = (value) => Math.max(0, Math.min(SIDE - 1, value));
  const next = { ...at, x: inside(at.x + right), y: inside(at.y + down) };
  if (at.down) draw([at.x, at.y], [next.x, next.y], tool);
  setCursor(next);
}

/** Put the keyboard's pen down, or lift it. */
function pen(tool, cursor, setCursor) {
  const at = cursor ?? { x: (SIDE - 1) / 2, y: (SIDE - 1) / 2, down: false };
  if (!at.down) {
    keep();
    draw([at.x, at.y], [at.x, at.y], tool);
  }
  setCursor({ ...at, down: !at.down });
}
