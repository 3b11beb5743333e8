/** The input gradient of every op, by the name of the op. */

import { add } from "./add.js";
import { average_pool2d } from "./average_pool2d.js";
import { batch_norm } from "./batch_norm.js";
import { blur_pool2d } from "./blur_pool2d.js";
import { conv2d } from "./conv2d.js";
import { dense } from "./dense.js";
import { dropout } from "./dropout.js";
import { local2d } from "./local2d.js";
import { max_pool2d } from "./max_pool2d.js";
import { relu } from "./relu.js";
import { reshape } from "./reshape.js";
import { tanh } from "./tanh.js";

/** @type {Readonly<Record<string, (node: import("../program.js").Node, arrays: Record<string, Float32Array>) =>
 *   import("../ops/op.js").Backward>>} */
export const BACKWARD = Object.freeze({
  add,
  average_pool2d,
  batch_norm,
  blur_pool2d,
  conv2d,
  dense,
  dropout,
  local2d,
  max_pool2d,
  relu,
  reshape,
  tanh,
});
