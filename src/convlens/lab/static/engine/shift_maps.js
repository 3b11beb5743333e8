/** Maps of probabilities over all shifts, drawn by a worker while the page goes on. */

import { ConvlensError } from "./errors.js";

/**
 * @typedef {object} Part some shifts of one model
 * @property {string} key of the model
 * @property {number} step the distance of these shifts from one another, in pixels: each stands for a square of it
 * @property {[number, number][]} offsets (dy, dx)
 * @property {Float32Array} probabilities K for each offset
 */

export class ShiftMaps {
  #worker = new Worker(new URL("./workers/shift_worker.js", import.meta.url), { type: "module" });
  #waiting = new Map(); // by a model's key, or a drawing's number
  #drawings = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data }) => this.#answer(data));
    this.#worker.addEventListener("error", (event) => {
      const failed = new ConvlensError(`the worker failed (${event.message ?? "its file cannot be loaded"})`);
      for (const { reject } of this.#waiting.values()) reject(failed);
      this.#waiting.clear();
    });
  }

  /**
   * Give the worker a model, or another one under the same key.
   * @param {string} key
   * @param {ArrayBuffer | Uint8Array} bytes of its file; they are copied
   * @returns {Promise<void>}
   */
  async add(key, bytes) {
    await this.#ask(`model ${key}`, { add: key, bytes });
  }

  /** @param {string} key */
  remove(key) {
    this.#worker.postMessage({ remove: key });
  }

  /**
   * Draw the maps of models, from coarse to fine. A newer call ends this one.
   * @param {string[]} keys
   * @param {import("./model.js").Pixels} pixels
   * @param {{reach?: number, part: (part: Part) => void}} options `part` is called as the maps grow
   * @returns {Promise<boolean>} whether the maps are complete; false if a newer call ended it
   */
  async draw(keys, pixels, { reach = 8, part }) {
    const id = this.#drawings++;
    return this.#ask(id, { draw: id, keys, pixels, reach }, part);
  }

  /** End the worker. */
  close() {
    this.#worker.terminate();
  }

  #ask(about, message, part) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(about, { resolve, reject, part });
      this.#worker.postMessage(message);
    });
  }

  #answer({ id, done, added, error, ...part }) {
    const about = id ?? `model ${part.key}`;
    const waiting = this.#waiting.get(about);
    if (!waiting) return;
    if (error === undefined && done === undefined && added === undefined) {
      if (id === this.#drawings - 1) waiting.part(part); // parts of an older drawing come too late
      return;
    }
    this.#waiting.delete(about);
    if (error === undefined) waiting.resolve(done);
    else waiting.reject(new ConvlensError(error));
  }
}
