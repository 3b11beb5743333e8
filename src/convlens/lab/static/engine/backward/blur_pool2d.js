import { binomial } from "../ops/blur_pool2d.js";
import { weighted } from "./pooling.js";

/** @returns {import("../ops/op.js").Backward} */
export const blur_pool2d = (node) => weighted(node, binomial(node.window.kernel));
