/** The Program in the browser: what a page needs of this folder. */

export { ConvlensError } from "./errors.js";
export { Model, copied } from "./model.js";
export { INPUT } from "./program.js";
export { softmax } from "./ops/softmax.js";
