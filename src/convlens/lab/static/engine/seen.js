/** The walk over all windows that pooling and its gradients share. */

/**
 * Call with (place in the output, place in the padded image, place in the kernel) for all that every output value sees,
 * channel by channel, kernel places in reading order.
 * @param {import("./program.js").Node} node that has a window, and as many channels as its input
 * @param {number} rowSize values in one row of the padded image
 * @param {(to: number, from: number, place: number) => void} visit
 */
export function eachSeen(node, rowSize, visit) {
  const [rows, columns, channels] = node.outputShape;
  const { kernel, stride } = node.window;
  for (let u = 0, place = 0; u < kernel[0]; u++) {
    for (let v = 0; v < kernel[1]; v++, place++) {
      for (let i = 0, to = 0; i < rows; i++) {
        let from = (i * stride[0] + u) * rowSize + v * channels;
        for (let j = 0; j < columns; j++, from += stride[1] * channels) {
          for (let c = 0; c < channels; c++) visit(to++, from + c, place);
        }
      }
    }
  }
}
