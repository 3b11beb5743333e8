/**
 * Which pixels decided? Four attributions, each a number for every pixel, (H, W), of a class's logit or probability; and
 * the check without which none should be believed: the same attribution of the same network with other weights, drawn at
 * random. Where both look alike, the attribution shows the image, not what the network learned. Source: Adebayo et al.,
 * "Sanity checks for saliency maps", NeurIPS 2018.
 */

import { ConvlensError } from "./errors.js";
import { gradientAt, inputGradient } from "./gradient.js";
import { INPUT } from "./program.js";
import { rankCorrelation } from "./rank_correlation.js";
import { enlarged } from "./resize.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./model.js").Pixels} Pixels */
/** @typedef {{shape: [number, number], data: Float64Array}} PixelMap */

/**
 * The derivative of a class's logit with respect to every pixel as the network reads it, summed over channels.
 * Source: Simonyan et al., "Deep inside convolutional networks", 2013.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {number} k the class
 * @returns {PixelMap}
 */
export function gradient(model, pixels, k) {
  return overChannels(model, inputGradient(model, pixels, k));
}

/**
 * (x - x0) times the mean gradient on the straight way from x0, a blank image, to x; the integral by the midpoint rule.
 * Its sum is the difference of the logits of x and x0, up to the rule's error (completeness). Source: Sundararajan et
 * al., "Axiomatic attribution for deep networks", ICML 2017.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {number} k
 * @param {{steps?: number}} [options]
 * @returns {PixelMap}
 */
export function integratedGradients(model, pixels, k, { steps = 32 } = {}) {
  const x = model.forward(pixels).get(INPUT).data.slice();
  const from = model.preprocessing.blank;
  const sums = new Float64Array(x.length);
  for (let step = 0; step < steps; step++) {
    const share = (step + 0.5) / steps;
    const found = inputGradient(model, x.map((value) => from + share * (value - from)), k);
    for (let at = 0; at < sums.length; at++) sums[at] += found[at];
  }
  return overChannels(model, sums.map((sum, at) => ((x[at] - from) * sum) / steps));
}

/**
 * The maps of a layer, added with the mean derivative of the logit with respect to each as its weight, where the sum is
 * above 0; enlarged to the image, bilinearly. Source: Selvaraju et al., "Grad-CAM", ICCV 2017.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {number} k
 * @param {{node?: string}} [options] the layer; the last convolution, after its activation, if left out
 * @returns {PixelMap}
 */
export function gradCam(model, pixels, k, { node = lastMaps(model) } = {}) {
  const derivative = gradientAt(model, pixels, k, model.program.output, node);
  const { shape, data } = model.forward(pixels).get(node);
  if (shape.length !== 3) throw new ConvlensError(`Grad-CAM needs a layer of maps, and ${node} gives a vector`);
  const [height, width, channels] = shape;
  const weights = new Float64Array(channels);
  derivative.forEach((one, at) => (weights[at % channels] += one / (height * width)));
  const map = new Float64Array(height * width);
  data.forEach((value, at) => (map[Math.floor(at / channels)] += weights[at % channels] * value));
  const positive = map.map((value) => Math.max(value, 0));
  return enlarged({ shape: [height, width], data: positive }, model.inputShape[0], model.inputShape[1]);
}

/**
 * By how much the class's probability falls when a blank square covers a pixel: the mean over all squares that cover it.
 * Source: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {number} k
 * @param {{side?: number, stride?: number}} [options] of the squares, in pixels; at the edge they are cut
 * @returns {PixelMap}
 */
export function occlusion(model, pixels, k, { side = 5, stride = 2 } = {}) {
  const [height, width, channels] = model.inputShape;
  const x = model.forward(pixels).get(INPUT).data.slice();
  const whole = model.probabilities(x)[k];
  const [sums, counts] = [new Float64Array(height * width), new Float64Array(height * width)];
  for (let top = 1 - side; top < height; top += stride) {
    for (let left = 1 - side; left < width; left += stride) {
      const covered = x.slice();
      const places = square(top, left, side, height, width);
      for (const at of places) covered.fill(model.preprocessing.blank, at * channels, (at + 1) * channels);
      const fall = whole - model.probabilities(covered)[k];
      for (const at of places) {
        sums[at] += fall;
        counts[at] += 1;
      }
    }
  }
  return { shape: [height, width], data: sums.map((sum, at) => sum / Math.max(counts[at], 1)) };
}

/** By the names that an address or a menu uses. */
export const METHODS = Object.freeze({ gradient, integratedGradients, gradCam, occlusion });

/**
 * An attribution beside its check: the same of the network with weights drawn anew.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {keyof METHODS} method
 * @param {number} k
 * @param {{seed?: number, [setting: string]: any}} [options] the draw, and the method's settings
 * @returns {{attribution: PixelMap, check: PixelMap, correlation: number | null}} Spearman's rank correlation of both,
 *   without their signs: near 1, the attribution did not need the trained weights; null if one of them is constant
 */
export function withCheck(model, pixels, method, k, { seed = 0, ...settings } = {}) {
  const attribution = METHODS[method](model, pixels, k, settings);
  const check = METHODS[method](model.redrawn(seed), pixels, k, settings);
  return { attribution, check, correlation: rankCorrelation(attribution.data.map(Math.abs), check.data.map(Math.abs)) };
}

function overChannels(model, values) {
  const [height, width, channels] = model.inputShape;
  const data = new Float64Array(height * width);
  values.forEach((value, at) => (data[Math.floor(at / channels)] += value));
  return { shape: [height, width], data };
}

/** The value after the last convolution or locally connected layer, and after the ReLU or tanh that follows it. */
function lastMaps(model) {
  const last = model.nodes.findLast((node) => node.op === "conv2d" || node.op === "local2d");
  if (!last) throw new ConvlensError("Grad-CAM needs maps, and this network has no convolution; use another attribution");
  const after = model.nodes.find((node) => node.inputs.includes(last.name));
  return after && ["relu", "tanh"].includes(after.op) ? after.name : last.name;
}

function square(top, left, side, height, width) {
  const places = [];
  for (let row = Math.max(top, 0); row < Math.min(top + side, height); row++) {
    for (let column = Math.max(left, 0); column < Math.min(left + side, width); column++) places.push(row * width + column);
  }
  return places;
}
