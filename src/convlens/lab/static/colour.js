/**
 * Colour maps: even in brightness to the eye, and safe for colour-blind readers. Tables of 256 colours, 3 bytes each.
 *
 * `viridis` (van der Walt & Smith, 2015) shows amounts; `diverging` (PuOr of ColorBrewer) shows signed numbers, orange
 * below 0 and purple above; `grey` shows images. The first two are interpolated from every eighth colour of Matplotlib's.
 */

const VIRIDIS =
  "440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e21918c" +
  "1f988b1fa08822a78528ae8032b67a3fbc734ec36b5ec96270cf5784d44b98d83eaddc30c2df23d8e219ece51bfde725";
const PURPLE_TO_ORANGE =
  "2d004b390c5e4518715225845f3a916d529c7b6aa88a7eb39990bfa9a1cbb7b1d5c3c0ddcfcfe5dadcece4e5f0eeeef3f7f7f6" +
  "f9efe1fce8cdfee1b9fed59ffdc885fdbc6bf7ac52ee9b39e58a20d97b12cb6e0dbd6109ae55069e4c078d43077f3b08";

/** Return a table of 256 colours between anchors. */
function table(hex, backwards = false) {
  let anchors = hex.match(/.{6}/g).map((one) => one.match(/../g).map((byte) => parseInt(byte, 16)));
  if (backwards) anchors = anchors.reverse();
  const colours = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (anchors.length - 1);
    const before = Math.min(Math.floor(place), anchors.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      const [from, to] = [anchors[before][channel], anchors[before + 1][channel]];
      colours[3 * i + channel] = Math.round(from + (place - before) * (to - from));
    }
  }
  return colours;
}

export const viridis = table(VIRIDIS);
export const diverging = table(PURPLE_TO_ORANGE, true);
export const grey = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));

/** Colours of lines that colour-blind readers can tell apart (after Okabe and Ito), on either ground. */
export const PALETTE = {
  light: ["#0072b2", "#c14a00", "#00785a", "#a9427f", "#8a6100", "#3f6fd1", "#5b5b5b"],
  dark: ["#56b4e9", "#f0884d", "#3ccfa4", "#e295c2", "#e6b040", "#9db8ff", "#c4c4c4"],
};

/** The CSS colour of a line. @param {number} place of its group */
export const colourOfGroup = (place) => `light-dark(${PALETTE.light[place % 7]}, ${PALETTE.dark[place % 7]})`;

/**
 * A colour map with the range of values that it spans.
 * @typedef {{colours: Uint8Array, least: number, most: number}} Scale
 */

/**
 * The scale for values of one kind: amounts from 0 on, or signed numbers around 0.
 * @param {ArrayLike<number>} values
 * @returns {Scale}
 */
export function scaleOf(values) {
  let least = 0;
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    else if (values[i] > most) most = values[i];
  }
  if (least < 0) {
    const size = Math.max(-least, most);
    return { colours: diverging, least: -size, most: size };
  }
  return { colours: viridis, least: 0, most: most || 1 };
}

/** The CSS colour of a value. @param {number} value @param {Scale} scale */
export function colourOf(value, { colours, least, most }) {
  const i = 3 * step(value, least, most);
  return `rgb(${colours[i]} ${colours[i + 1]} ${colours[i + 2]})`;
}

/** Black or white, whichever is read better on the colour of a value. @param {number} value @param {Scale} scale */
export function inkOn(value, { colours, least, most }) {
  const i = 3 * step(value, least, most);
  const [red, green, blue] = Array.from(colours.subarray(i, i + 3), linear);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff"; // of equal contrast to both
}

/** The brightness that a byte of sRGB stands for. Source: WCAG 2.2, relative luminance. */
const linear = (byte) => (byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);

/**
 * Paint an array as an image, one pixel a value.
 * @param {HTMLCanvasElement} canvas is given the array's size; CSS enlarges it
 * @param {ArrayLike<number>} values
 * @param {number} width
 * @param {Scale} scale
 * @param {number} offset of the first value
 * @param {number} stride from one value to the next
 */
export function paint(canvas, values, height, width, { colours, least, most }, offset = 0, stride = 1) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0, from = offset; place < width * height; place++, from += stride) {
    const value = values[from];
    if (value !== value) continue; // NaN: not known yet, left transparent
    const i = 3 * step(value, least, most);
    image.data[4 * place] = colours[i];
    image.data[4 * place + 1] = colours[i + 1];
    image.data[4 * place + 2] = colours[i + 2];
    image.data[4 * place + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/**
 * Paint a picture whose pixels are next to each other: red, green and blue, if it has three channels or more; else grey.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} pixels
 * @param {number} height
 * @param {number} width
 */
export function paintPicture(canvas, pixels, height, width) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const channels = pixels.length / (height * width);
  for (let place = 0; place < width * height; place++) {
    const first = place * channels;
    for (let i = 0; i < 3; i++) image.data[4 * place + i] = pixels[channels < 3 ? first : first + i];
    image.data[4 * place + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function step(value, least, most) {
  return Math.max(0, Math.min(255, Math.round(((value - least) / (most - least)) * 255)));
}
