/**
 * Which pixels does a class's score, its logit z, depend on? Four attributions, each a number for every pixel, (H, W),
 * as `convlens.lens` defines them; and the check without which none should be believed: the same attribution of the
 * same network with other weights, drawn at random. Where both look alike, the attribution shows the image, not what
 * the network learned. Source: Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018.
 */

import { ConvlensError } from "./errors.js";
import { gradientAt, inputGradient, placeOf } from "./gradient.js";
import { INPUT } from "./program.js";
import { rankCorrelation } from "./rank_correlation.js";
import { enlarged } from "./resize.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./model.js").Pixels} Pixels */
/** @typedef {{shape: [number, number], data: Float64Array}} PixelMap */

/**
 * How strongly the score reacts to each pixel as the network reads it: max over c of |dz / dx[i, j, c]|.
 * Source: Simonyan et al., "Deep inside convolutional networks", 2013.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {number} k the class
 * @returns {PixelMap}
 */
export function gradient(model, pixels, k) {
  return overChannels(model, inputGradient(model, pixels, k), (most, value) => Math.max(most, Math.abs(value)));
}

/**
 * What each pixel contributes, compared with a blank image x0: (x - x0) times the mean gradient on the straight way
 * from x0 to x, by the midpoint rule, summed over channels. Its sum is the difference of the logits of x and x0, up to
 * the rule's error (completeness). Source: Sundararajan et al., "Axiomatic attribution for deep networks", ICML 2017.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {number} k
 * @param {{steps?: number}} [options]
 * @returns {PixelMap}
 */
export function integratedGradients(model, pixels, k, { steps = 64 } = {}) {
  const x = model.forward(pixels).get(INPUT).data.slice();
  const from = model.preprocessing.blank;
  const sums = new Float64Array(x.length);
  for (let step = 0; step < steps; step++) {
    const share = (step + 0.5) / steps;
    const found = inputGradient(model, x.map((value) => from + share * (value - from)), k);
    for (let at = 0; at < sums.length; at++) sums[at] += found[at];
  }
  const terms = sums.map((sum, at) => ((x[at] - from) * sum) / steps);
  return overChannels(model, terms, (total, term) => total + term);
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
  if (!hasMaps(shape)) {
    throw new ConvlensError(`Grad-CAM needs maps, and ${node} has shape [${shape}]; name a convolution`);
  }
  const [height, width, channels] = shape;
  const weights = new Float64Array(channels);
  derivative.forEach((one, at) => (weights[at % channels] += one / (height * width)));
  const map = new Float64Array(height * width);
  data.forEach((value, at) => (map[Math.floor(at / channels)] += weights[at % channels] * value));
  const positive = map.map((value) => Math.max(value, 0));
  return enlarged({ shape: [height, width], data: positive }, model.inputShape[0], model.inputShape[1]);
}

/**
 * By how much the score falls when a square around each pixel is made blank:
 * z(x) - z(x with the pixels within (size - 1) / 2 of it blank).
 * Source: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {number} k
 * @param {{size?: number}} [options] the side of the square in pixels, odd
 * @returns {PixelMap}
 */
export function occlusion(model, pixels, k, { size = 5 } = {}) {
  const [height, width, channels] = model.inputShape;
  const x = model.forward(pixels).get(INPUT).data.slice();
  const score = (image) => model.logits(image)[placeOf(k, [model.classes], model.program.output)];
  const whole = score(x);
  const reach = (size - 1) / 2;
  const data = Float64Array.from({ length: height * width }, (_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    const [left, right] = [Math.max(j - reach, 0), Math.min(j + reach + 1, width)];
    const covered = x.slice();
    for (let row = Math.max(i - reach, 0); row <= Math.min(i + reach, height - 1); row++) {
      covered.fill(model.preprocessing.blank, (row * width + left) * channels, (row * width + right) * channels);
    }
    return whole - score(covered);
  });
  return { shape: [height, width], data };
}

/** By the names that an address or a menu uses. */
export const METHODS = Object.freeze({ gradient, integratedGradients, gradCam, occlusion });

/**
 * An attribution beside its check: the same of the network with weights drawn anew.
 * @param {Model} model
 * @param {Pixels} pixels
 * @param {keyof METHODS} method
 * @param {number} k
 * @param {{redraws?: number, seed?: number, [setting: string]: any}} [options] how often the weights are drawn, and the
 *   seed of the first time; the others are the method's settings
 * @returns {{attribution: PixelMap, check: PixelMap, correlation: number | null}} `check` is that of the first draw;
 *   `correlation`, the mean over all draws of Spearman's rank correlation with the attribution, without signs: near 1,
 *   the attribution did not need the trained weights; null if maps are constant
 */
export function withCheck(model, pixels, method, k, { redraws = 3, seed = 0, ...settings } = {}) {
  const attribution = METHODS[method](model, pixels, k, settings);
  const drawnAgain = (n) => METHODS[method](model.redrawn(seed + n), pixels, k, settings);
  const checks = Array.from({ length: redraws }, (_, n) => drawnAgain(n));
  const strength = ({ data }) => data.map(Math.abs);
  const found = checks
    .map((check) => rankCorrelation(strength(attribution), strength(check)))
    .filter((one) => one !== null);
  const correlation = found.length ? found.reduce((sum, one) => sum + one, 0) / found.length : null;
  return { attribution, check: checks[0], correlation };
}

/** Join the values of each pixel's channels, beginning at 0. */
function overChannels(model, values, join) {
  const [height, width, channels] = model.inputShape;
  const data = new Float64Array(height * width);
  values.forEach((value, at) => {
    const pixel = Math.floor(at / channels);
    data[pixel] = join(data[pixel], value);
  });
  return { shape: [height, width], data };
}

/** The value of the last convolution or locally connected layer, with the batch norm and activation behind it. */
function lastMaps(model) {
  let last;
  for (const node of model.nodes.filter((one) => hasMaps(one.outputShape))) {
    const follows = ["relu", "tanh", "batch_norm"].includes(node.op) && node.inputs[0] === last?.name;
    if (node.op === "conv2d" || node.op === "local2d" || follows) last = node;
  }
  if (last) return last.name;
  throw new ConvlensError("Grad-CAM needs maps, and this network has no convolution; use another attribution");
}

function hasMaps(shape) {
  return shape.length === 3 && shape[0] > 1 && shape[1] > 1;
}
