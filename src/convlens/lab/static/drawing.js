/**
 * The drawing: 28 x 28 pixels, 0 black to 255 white ink, that stay as they are, and what is done to them on their way to
 * the networks: thickness, turning and scaling, noise, and a shift. All of it is computed anew from the same numbers, so a
 * link gives the same pixels.
 */

export const SIDE = 28;
export const FARTHEST = 14; // pixels that a drawing can be shifted
const PEN = 1.1; // half the width of a stroke, in pixels
const MIDDLE = (SIDE - 1) / 2;

/**
 * @typedef {object} View what is done to a drawing
 * @property {number} thickness pixels added on each side of a stroke; negative: taken away
 * @property {number} turn degrees, clockwise
 * @property {number} size 1 as drawn
 * @property {number} noise deviation, as a share of white
 * @property {[number, number]} shift (right, down) in pixels
 */

/** @type {View} */
export const UNCHANGED = Object.freeze({ thickness: 0, turn: 0, size: 1, noise: 0, shift: [0, 0] });

export const blank = () => new Uint8Array(SIDE * SIDE);

/** Whether nothing is drawn. @param {Uint8Array} pixels */
export const isBlank = (pixels) => pixels.every((value) => value === 0);

/**
 * Return a copy with a straight stroke; its edge is smooth over one pixel.
 * @param {Uint8Array} pixels
 * @param {[number, number]} from (x, y) in pixels; the middle of the first pixel is (0, 0)
 * @param {[number, number]} to
 * @param {boolean} erase
 */
export function stroked(pixels, [x0, y0], [x1, y1], erase = false) {
  const drawn = pixels.slice();
  const reach = PEN + 1;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach));
  const bottom = Math.min(SIDE - 1, Math.floor(Math.max(y0, y1) + reach));
  const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach));
  const right = Math.min(SIDE - 1, Math.floor(Math.max(x0, x1) + reach));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = length && Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / length));
      const distance = Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
      const ink = Math.round(255 * Math.max(0, Math.min(1, PEN + 0.5 - distance)));
      const i = y * SIDE + x;
      drawn[i] = erase ? Math.min(drawn[i], 255 - ink) : Math.max(drawn[i], ink);
    }
  }
  return drawn;
}

/**
 * Everything but the shift.
 * @param {Uint8Array} pixels
 * @param {View} view
 */
export function rendered(pixels, view) {
  return noisy(turned(thickened(pixels, view.thickness), view.turn, view.size), view.noise);
}

/** Pixels moved to the right and down; what comes in is black. @param {[number, number]} shift */
export function shifted(pixels, [right, down]) {
  const moved = blank();
  for (let y = Math.max(0, down); y < Math.min(SIDE, SIDE + down); y++) {
    for (let x = Math.max(0, right); x < Math.min(SIDE, SIDE + right); x++) {
      moved[y * SIDE + x] = pixels[(y - down) * SIDE + x - right];
    }
  }
  return moved;
}

/** The place on the unchanged drawing that is seen at (x, y). @param {View} view @returns {[number, number]} */
export function placeBefore([x, y], { turn, size, shift }) {
  return source(x - shift[0], y - shift[1], turn, size);
}

/** Grow or shrink strokes: the largest, or smallest, of a pixel and its four neighbours, in part for a fraction. */
function thickened(pixels, thickness) {
  let found = Float32Array.from(pixels);
  for (let left = Math.abs(thickness); left > 0; left -= 1) {
    const next = neighbours(found, thickness > 0 ? Math.max : Math.min);
    const share = Math.min(1, left);
    for (let i = 0; i < next.length; i++) next[i] = found[i] + share * (next[i] - found[i]);
    found = next;
  }
  return Uint8Array.from(found, Math.round);
}

function neighbours(pixels, choose) {
  return pixels.map((value, i) => {
    const x = i % SIDE;
    return choose(
      value,
      x > 0 ? pixels[i - 1] : 0,
      x < SIDE - 1 ? pixels[i + 1] : 0,
      i >= SIDE ? pixels[i - SIDE] : 0,
      i < SIDE * (SIDE - 1) ? pixels[i + SIDE] : 0,
    );
  });
}

/** Turn and scale around the middle, with linear interpolation. */
function turned(pixels, turn, size) {
  if (turn === 0 && size === 1) return pixels;
  const found = blank();
  const at = (x, y) => (x >= 0 && y >= 0 && x < SIDE && y < SIDE ? pixels[y * SIDE + x] : 0);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [u, v] = source(x, y, turn, size);
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const [p, q] = [u - left, v - top];
      const above = (1 - p) * at(left, top) + p * at(left + 1, top);
      const below = (1 - p) * at(left, top + 1) + p * at(left + 1, top + 1);
      found[y * SIDE + x] = Math.round((1 - q) * above + q * below);
    }
  }
  return found;
}

function source(x, y, turn, size) {
  const [cosine, sine] = [Math.cos((turn * Math.PI) / 180) / size, Math.sin((turn * Math.PI) / 180) / size];
  const [dx, dy] = [x - MIDDLE, y - MIDDLE];
  return [MIDDLE + cosine * dx + sine * dy, MIDDLE - sine * dx + cosine * dy];
}

/** Add normal noise, the same at every call. */
function noisy(pixels, deviation) {
  if (deviation === 0) return pixels;
  let seed = 1;
  const uniform = () => {
    // mulberry32 (Ettinger, 2017): small, and the same in every browser
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return pixels.map((value) => Math.max(0, Math.min(255, Math.round(value + 255 * deviation * normal()))));
}

/** The pixels as a text for a link: runs of black are counted. @param {Uint8Array} pixels */
export function encoded(pixels) {
  const bytes = [];
  for (let i = 0; i < pixels.length; ) {
    if (pixels[i]) {
      bytes.push(pixels[i++]);
      continue;
    }
    let run = 0;
    while (i < pixels.length && !pixels[i] && run < 255) {
      run++;
      i++;
    }
    bytes.push(0, run);
  }
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The pixels of a text; undefined if it is damaged. @param {string} text */
export function decoded(text) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  } catch {
    return undefined;
  }
  const pixels = [];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]) pixels.push(bytes[i]);
    else for (let run = bytes[++i] ?? 0; run > 0; run--) pixels.push(0);
  }
  return pixels.length === SIDE * SIDE ? Uint8Array.from(pixels) : undefined;
}
