/** The maps of shifts of all models side by side, computed by workers, one a model. */

import { ShiftMaps } from "../engine/shift_maps.js";
import { fitted } from "../fit.js";
import { bytes } from "../library.js";
import { useEffect, useRef, useState } from "../view.js";

export const REACH = 8; // pixels in each direction
export const WIDTH = 2 * REACH + 1;
const REST = 60; // ms without a change before maps are begun: a stroke under way has the processor to itself

/**
 * @typedef {object} Grid the probabilities of all classes at every shift
 * @property {Float32Array} values WIDTH x WIDTH x K, from shifts up and left; NaN where nothing is known yet
 * @property {number} classes K
 * @property {Uint8Array} steps by shift: 0 if it is exact; else how coarse the grid was whose nearest shift it shows
 * @property {boolean} complete
 * @property {string} [problem] why there is none; the others are absent then
 */

/** @type {Map<string, Promise<ShiftMaps>>} */
const workers = new Map();

function worker(name) {
  if (!workers.has(name)) {
    const begin = async () => {
      const content = await bytes(name);
      const maps = new ShiftMaps();
      await maps.add(name, content);
      return maps;
    };
    const found = begin();
    workers.set(name, found);
    found.catch(() => workers.delete(name)); // tried again at the next drawing
  }
  return workers.get(name);
}

async function dismiss(name) {
  const leaving = workers.get(name);
  workers.delete(name);
  (await leaving.catch(() => null))?.close();
}

/**
 * Maps of probabilities over all shifts of an image, which become finer while they are computed.
 * @param {string[]} names of models
 * @param {(import("../engine/index.js").Model | Error | undefined)[]} models those that are there
 * @param {Uint8Array} pixels the image, not shifted
 * @returns {Map<string, Grid>}
 */
export function useShiftMaps(names, models, pixels) {
  const grids = useRef(new Map());
  const [, again] = useState(0);
  const there = names.filter((_, i) => models[i]?.nodes);
  useEffect(() => {
    for (const name of workers.keys()) if (!names.includes(name)) dismiss(name);
    let left = false;
    const begin = async (name) => {
      const model = models[names.indexOf(name)];
      const maps = await worker(name);
      if (left) return;
      const grid = emptyGrid(model.classes);
      const show = () => {
        grids.current.set(name, { ...grid });
        again((n) => n + 1);
      };
      const part = (found) => {
        if (left) return;
        fill(grid, found);
        show(); // until the first part comes, the map before stays
      };
      grid.complete = await maps.draw([name], fitted(pixels, model.inputShape), { reach: REACH, part });
      if (grid.complete && !left) show();
    };
    const attempt = (name) =>
      begin(name).catch((error) => {
        if (left) return;
        grids.current.set(name, { problem: error.message });
        again((n) => n + 1);
      });
    const timer = setTimeout(() => there.forEach(attempt), REST);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [there.join(), pixels]);
  return grids.current;
}

function emptyGrid(classes) {
  const cells = WIDTH * WIDTH;
  const values = new Float32Array(cells * classes).fill(NaN);
  return { values, classes, complete: false, steps: new Uint8Array(cells).fill(255) };
}

/** Add some shifts; each stands for the square around it too, until finer ones come. */
function fill({ values, classes, steps }, { step, offsets, probabilities }) {
  const half = Math.floor(step / 2);
  offsets.forEach(([down, right], place) => {
    const found = probabilities.subarray(place * classes, (place + 1) * classes);
    for (let y = Math.max(-REACH, down - half); y <= Math.min(REACH, down + half); y++) {
      for (let x = Math.max(-REACH, right - half); x <= Math.min(REACH, right + half); x++) {
        const cell = (y + REACH) * WIDTH + x + REACH;
        const known = y === down && x === right ? 0 : step;
        if (known > steps[cell]) continue;
        steps[cell] = known;
        values.set(found, cell * classes);
      }
    }
  });
}
