/** The two checksums of a saved model, as docs/format.md defines them. */

import { ConvlensError } from "./errors.js";
import { editDistance } from "./names.js";

const FILE_SUM = "file_sha256";
const ARRAYS_SUM = "arrays_sha256";

/**
 * Check the checksums of the file and of its arrays. Early files lack them. A page that is not served over https, nor
 * from this machine, has no SHA-256 (`crypto.subtle`): then nothing is checked here.
 * @param {Uint8Array} bytes the whole file
 * @param {number} dataBegins where the arrays begin
 * @param {Record<string, any>} header
 * @param {Map<string, {shape: number[], bytes: Uint8Array}>} arrays
 * @param {string} name of the file, for messages
 */
export async function requireChecksums(bytes, dataBegins, header, arrays, name) {
  if (!globalThis.crypto?.subtle) return;
  if (!(await hasFileSum(bytes, dataBegins, header))) {
    throw new ConvlensError(`${name} is damaged: it does not have the checksum in its header; use another copy`);
  }
  if (ARRAYS_SUM in header && header[ARRAYS_SUM] !== (await arraysSum(arrays))) {
    throw new ConvlensError(
      `${name} is damaged: its arrays do not have the checksum in its header; use another copy`,
    );
  }
}

/** Whether it has the checksum in its header. Early files have none, but then no key of nearly its name either. */
async function hasFileSum(bytes, dataBegins, header) {
  const wanted = header[FILE_SUM];
  if (wanted === undefined) return !Object.keys(header).some((key) => editDistance(key.slice(0, 20), FILE_SUM) <= 2);
  if (typeof wanted !== "string" || !/^[0-9a-f]{64}$/.test(wanted)) return false;
  const blanked = bytes.slice();
  blank(blanked.subarray(0, dataBegins), new TextEncoder().encode(wanted));
  return (await sha256(blanked)) === wanted;
}

/** Write zeros, as digits, in place of every occurrence of the checksum. */
function blank(beginning, digits) {
  for (let at = beginning.indexOf(digits[0]); at >= 0; at = beginning.indexOf(digits[0], at + 1)) {
    if (digits.every((digit, place) => beginning[at + place] === digit)) beginning.fill(48, at, at + digits.length);
  }
}

/** The SHA-256 over all arrays in the order of their names: of each, name, type and shape as text, then its bytes. */
async function arraysSum(arrays) {
  const encoder = new TextEncoder();
  const parts = [];
  for (const name of [...arrays.keys()].sort()) {
    const { shape, bytes } = arrays.get(name);
    parts.push(encoder.encode(`["${name}", "<f4", [${shape.join(", ")}]]`), bytes);
  }
  return sha256(new Uint8Array(await new Blob(parts).arrayBuffer()));
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
