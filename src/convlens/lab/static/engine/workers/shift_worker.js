/**
 * Draws maps over all shifts, beside the page: coarse ones of all models first. A newer drawing ends the one under way.
 *
 * It is told {add: key, bytes}, {remove: key} or {draw: id, keys, pixels, reach}, and answers {id, key, step, offsets,
 * probabilities}, then {id, done}; {key, added}; or {id or key, error}, a sentence.
 */

import { ConvlensError } from "../errors.js";
import { Model } from "../model.js";
import { coarseToFine, underShifts } from "../shift.js";
import { messages } from "./messages.js";

const SLICE = 12; // shifts between two looks for a newer drawing: some ten milliseconds

const models = new Map();
let newest = -1;

self.addEventListener("message", async ({ data }) => {
  const about = "draw" in data ? { id: data.draw } : { key: data.add };
  try {
    if ("draw" in data) await draw(data);
    else if ("remove" in data) models.delete(data.remove);
    else {
      models.set(data.add, await Model.fromBytes(data.bytes));
      self.postMessage({ key: data.add, added: true });
    }
  } catch (error) {
    const sentence = error instanceof ConvlensError ? error.message : `the map over all shifts failed (${error})`;
    self.postMessage({ ...about, error: sentence });
  }
});

async function draw({ draw: id, keys, pixels, reach }) {
  newest = id;
  for (const { step, offsets } of coarseToFine(reach)) {
    for (let begin = 0; begin < offsets.length; begin += SLICE) {
      const some = offsets.slice(begin, begin + SLICE);
      for (const key of keys) {
        const model = models.get(key);
        if (!model) continue; // it was removed meanwhile
        const probabilities = underShifts(model, pixels, some);
        self.postMessage({ id, key, step, offsets: some, probabilities }, [probabilities.buffer]);
      }
      await messages();
      if (newest !== id) {
        self.postMessage({ id, done: false });
        return;
      }
    }
  }
  self.postMessage({ id, done: true });
}
