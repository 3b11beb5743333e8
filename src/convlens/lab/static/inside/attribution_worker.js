/**
 * Computes attributions beside the page. It is told {content} of a model's file, then {id, pixels, method, k}, and answers
 * {id, attribution, check, correlation}, or {id, error}: a sentence.
 */

import { withCheck } from "../engine/attribution.js";
import { Model } from "../engine/index.js";

let model = null;

self.addEventListener("message", async ({ data }) => {
  if (data.content) {
    model = Model.fromBytes(data.content);
    return;
  }
  const { id, pixels, method, k } = data;
  try {
    self.postMessage({ id, ...withCheck(await model, pixels, method, k) });
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
});
