import { sizeOf } from "../checks.js";
import { connecting } from "./connecting.js";

/** @returns {import("../ops/op.js").Backward} */
export const local2d = (node, arrays) => {
  const size = sizeOf(node.parameters.w.shape.slice(2)); // of one position's kernels
  return connecting(node, arrays, (position) => position * size);
};
