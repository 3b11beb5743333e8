/** Maps and pictures in another size. */

/**
 * A map enlarged bilinearly, pixel centres on pixel centres, as image libraries do.
 * @param {{shape: [number, number], data: Float64Array}} map
 * @param {number} height
 * @param {number} width
 * @returns {{shape: [number, number], data: Float64Array}}
 */
export function enlarged({ shape: [rows, columns], data }, height, width) {
  const down = Array.from({ length: height }, (_, i) => between(((i + 0.5) * rows) / height - 0.5, rows));
  const across = Array.from({ length: width }, (_, j) => between(((j + 0.5) * columns) / width - 0.5, columns));
  const found = new Float64Array(height * width);
  down.forEach(([top, bottom, low], i) =>
    across.forEach(([left, right, far], j) => {
      const above = (1 - far) * data[top * columns + left] + far * data[top * columns + right];
      const below = (1 - far) * data[bottom * columns + left] + far * data[bottom * columns + right];
      found[i * width + j] = (1 - low) * above + low * below;
    }),
  );
  return { shape: [height, width], data: found };
}

/** The two places beside a coordinate, and the share of the second. */
function between(at, size) {
  const inside = Math.min(Math.max(at, 0), size - 1);
  const first = Math.min(Math.floor(inside), Math.max(size - 2, 0));
  return [first, Math.min(first + 1, size - 1), inside - first];
}

/**
 * Part of an image scaled to another size with a Hamming window, which averages as it reduces; as Pillow does it.
 * @param {Float32Array} values (H, W)
 * @param {[number, number]} size H, W
 * @param {[number, number]} rows the first, and the first beyond the last, of the part
 * @param {[number, number]} columns
 * @param {number} tall
 * @param {number} wide
 * @returns {Float32Array} (tall, wide)
 */
export function resized(values, [height, width], rows, columns, tall, wide) {
  const across = coefficients(width, columns, wide);
  const narrow = new Float32Array(height * wide);
  for (let i = 0; i < height; i++) {
    across.forEach(({ begin, weights }, j) => {
      narrow[i * wide + j] = weights.reduce((sum, weight, k) => sum + weight * values[i * width + begin + k], 0);
    });
  }
  const found = new Float32Array(tall * wide);
  coefficients(height, rows, tall).forEach(({ begin, weights }, i) => {
    for (let j = 0; j < wide; j++) {
      found[i * wide + j] = weights.reduce((sum, weight, k) => sum + weight * narrow[(begin + k) * wide + j], 0);
    }
  });
  return found;
}

/** Of each output pixel along an axis: where the pixels that it averages begin, and their weights. */
function coefficients(size, [first, last], outputs) {
  const scale = (last - first) / outputs;
  const reach = Math.max(scale, 1);
  return Array.from({ length: outputs }, (_, at) => {
    const centre = first + (at + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach + 0.5), size);
    const weights = Array.from({ length: end - begin }, (_, k) => hamming((begin + k - centre + 0.5) / reach));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { begin, weights: weights.map((weight) => weight / sum) };
  });
}

function hamming(x) {
  if (x === 0) return 1;
  if (Math.abs(x) >= 1) return 0;
  const angle = Math.PI * x;
  return (Math.sin(angle) / angle) * (0.54 + 0.46 * Math.cos(angle));
}
