/**
 * Runs a model on many images beside the page, and tells the largest values of a node's channels, some images at a time.
 *
 * It is told {content, images}, then {node}; a newer node ends the one under way. It answers {node, begin, some}, where
 * `some` has {values, cells} of each image from `begin` on, or {node, error}: a sentence.
 */

import { Model } from "../engine/index.js";
import { strongest } from "../engine/most_active.js";
import { messages } from "../engine/workers/messages.js";
import { fitted } from "../fit.js";

const SLICE = 10; // images between two looks for a newer node

let [model, images, newest] = [null, [], 0];

self.addEventListener("message", async ({ data }) => {
  const question = ++newest;
  if (data.content) {
    model = Model.fromBytes(data.content);
    images = data.images;
    return;
  }
  const { node } = data;
  try {
    const ready = await model;
    for (let begin = 0; begin < images.length && question === newest; begin += SLICE) {
      const part = images.slice(begin, begin + SLICE);
      const some = part.map((pixels) => strongest(ready.forward(fitted(pixels, ready.inputShape)).get(node)));
      self.postMessage({ node, begin, some });
      await messages();
    }
  } catch (error) {
    self.postMessage({ node, error: error.message });
  }
});
