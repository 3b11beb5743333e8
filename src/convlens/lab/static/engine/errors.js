/** An error whose message is one sentence for the user: what was expected, what came, what to do. */
export class ConvlensError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "ConvlensError";
  }
}
