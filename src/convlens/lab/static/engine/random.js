/** Random numbers that are the same on every machine, by seed and name. */

/**
 * Uniform numbers in [0, 1): the generator "mulberry32", begun at a sum of seed and name (FNV-1a).
 * @param {number} seed
 * @param {string} name
 * @returns {() => number}
 */
export function uniform(seed, name) {
  let state = 0x811c9dc5 ^ seed;
  for (const letter of name) state = Math.imul(state ^ letter.codePointAt(0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Numbers of mean 0 and variance 1 (Box and Muller, 1958).
 * @param {() => number} draw
 * @returns {() => number}
 */
export function normal(draw) {
  return () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}
