/** A picture of a digit, such as a photograph, becomes the drawing. */

import { SIDE, UNCHANGED } from "../drawing.js";
import { inkOfCanvas, prepareDigit } from "../engine/digits.js";
import { ConvlensError } from "../engine/errors.js";
import { inkOnPaper } from "../engine/paper.js";
import * as state from "../state.js";
import { sentence } from "../words.js";
import { EVERYTHING, keep } from "./surface.js";

const COLOURED = 40; // levels between the channels of a coloured pixel: a photograph of grey has fewer
const LARGEST_SIDE = 1000; // pixels: larger pictures are reduced first

/** Whether a file is a picture, by what the browser says of it or by its name. @param {File} file */
export const isPicture = (file) =>
  file.type.startsWith("image/") || /\.(avif|bmp|gif|heic|heif|jpe?g|png|svg|tiff?|webp)$/i.test(file.name);

/**
 * Read a picture as the drawing, and say what was done to it.
 * @param {File} file
 * @returns {Promise<string>} in words
 * @throws {ConvlensError} a sentence, if it cannot be read, or there is no ink
 */
export async function showPicture(file) {
  const done = [];
  const image = onGround(await decoded(file), done);
  if (isColoured(image)) done.push("turned to grey (it is in colour)");
  const grey = { data: inkOfCanvas(image), height: image.height, width: image.width };
  const { ink, isDark } = inkOnPaper(grey);
  if (isDark) done.push("inverted (dark ink on light paper)");
  const found = prepareDigit(ink, [image.height, image.width], [SIDE, SIDE, 1]);
  if (!found.pixels.some(Boolean)) {
    throw new ConvlensError(`${file.name}: no ink stands out from its paper; use a picture of one digit`);
  }
  keep(EVERYTHING);
  state.set({ drawing: found.pixels, digit: null, meant: "", ...UNCHANGED });
  const words = [...done, ...found.done, ...found.warnings.map((one) => `but ${one}`)].join(", ");
  const doubt = found.warnings.length ? " If it shows something else than one digit, Undo brings back the drawing before." : "";
  return `${file.name} is the drawing now. ${sentence(words || "it was like the training digits already")}${doubt}`;
}

/** The picture upright, its longer side at most `LARGEST_SIDE`. */
async function decoded(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new ConvlensError(`${file.name} cannot be read as a picture; save it as PNG or JPEG`);
  }
  const scale = Math.min(1, LARGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)));
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/** Whether more than a hundredth of the pixels have a colour that one would name. */
function isColoured({ data }) {
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = data.subarray(at, at + 3);
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > COLOURED) count++;
  }
  return count > data.length / 400;
}

/** A picture with transparent parts, laid on black or white, whichever is further from what is drawn. */
function onGround(image, done) {
  const { data } = image;
  let [light, opaque] = [0, 0];
  for (let at = 0; at < data.length; at += 4) {
    light += (data[at + 3] * (data[at] + data[at + 1] + data[at + 2])) / 3;
    opaque += data[at + 3];
  }
  if (opaque >= (255 * data.length) / 4) return image;
  const ground = opaque > 0 && light / opaque < 128 ? 255 : 0;
  for (let at = 0; at < data.length; at += 4) {
    const share = data[at + 3] / 255;
    for (let c = at; c < at + 3; c++) data[c] = Math.round(share * data[c] + (1 - share) * ground);
    data[at + 3] = 255;
  }
  done.push(`laid on ${ground ? "white" : "black"} (it is transparent)`);
  return image;
}
