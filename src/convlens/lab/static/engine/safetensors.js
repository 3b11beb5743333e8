/**
 * The container of a saved model: a table in JSON, then raw arrays (docs/format.md, "The file").
 *
 * Nothing in a file is trusted: every size is checked against the file's own before anything is allocated.
 */

import { ConvlensError } from "./errors.js";
import { isObject, shown, sizeOf, wholeNumbers } from "./checks.js";
import { requireChecksums } from "./checksums.js";

export const LARGEST_FILE = 256 * 2 ** 20; // bytes: more than a page should hold in memory twice
const FORMAT_VERSION = 1;
const FLOAT = 4; // bytes

/**
 * @typedef {object} Artifact
 * @property {Record<string, any>} header
 * @property {Map<string, {shape: number[], data: Float32Array}>} arrays
 */

/**
 * Read a saved model, and check all of it.
 * @param {ArrayBuffer | Uint8Array} content
 * @param {string} name how messages call the file
 * @returns {Promise<Artifact>}
 * @throws {ConvlensError} if it is damaged, not convlens's, too large, a checkpoint, or of a later version
 */
export async function readArtifact(content, name) {
  const bytes = content instanceof Uint8Array ? content : new Uint8Array(content);
  const { table, dataBegins } = readTable(bytes, name);
  const header = readHeader(table, name);
  const raw = rawArrays(table, bytes.subarray(dataBegins), name);
  await requireChecksums(bytes, dataBegins, header, raw, name);
  requireKind(header, name);
  return { header, arrays: new Map([...raw].map(([key, one]) => [key, floats(key, one, name)])) };
}

function readTable(bytes, name) {
  const foreign = `${name} is not a model that convlens has saved`;
  if (bytes.length > LARGEST_FILE) {
    const size = Math.round(bytes.length / 2 ** 20);
    throw new ConvlensError(`${name} has ${size} MB, and a page reads models of up to ${LARGEST_FILE / 2 ** 20} MB`);
  }
  if (bytes.length < 8) throw new ConvlensError(`${foreign}: it has only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    throw new ConvlensError(`${foreign}, or its end is missing; choose a .safetensors file of \`convlens train\``);
  }
  const dataBegins = 8 + Number(length);
  return { table: parsed(bytes.subarray(8, dataBegins), `${foreign}: its table`), dataBegins };
}

/** Return the JSON object in bytes of UTF-8. */
function parsed(bytes, where) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new ConvlensError(`${where} is not JSON`);
  }
  if (!isObject(value)) throw new ConvlensError(`${where} is not a JSON object`);
  return value;
}

function readHeader(table, name) {
  const text = isObject(table.__metadata__) ? table.__metadata__.convlens : undefined;
  if (typeof text !== "string") {
    throw new ConvlensError(`${name} is a safetensors file of another program: it has no convlens header`);
  }
  return parsed(new TextEncoder().encode(text), `${name} is damaged: its convlens header`);
}

/** Return the bytes and shape of every array: together they are all of the data, without gaps or overlap. */
function rawArrays(table, data, name) {
  const damaged = `${name} is damaged`;
  const found = new Map();
  const spans = [];
  for (const [key, entry] of Object.entries(table)) {
    if (key === "__metadata__") continue;
    if (!isObject(entry) || entry.dtype !== "F32") {
      throw new ConvlensError(`${damaged}: ${shown(key)} holds ${shown(entry?.dtype)}, and a model's arrays are F32`);
    }
    const shape = wholeNumbers(entry.shape, `${damaged}: the shape of ${shown(key)}`);
    const [begin, end] = wholeNumbers(entry.data_offsets, `${damaged}: the place of ${shown(key)}`, { length: 2 });
    if (end - begin !== FLOAT * sizeOf(shape) || end > data.length) {
      throw new ConvlensError(`${damaged}: the place of ${shown(key)} does not fit its shape, or the file`);
    }
    found.set(key, { shape, bytes: data.subarray(begin, end) });
    spans.push([begin, end]);
  }
  spans.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  const end = spans.reduce((at, [begin, stop]) => (begin === at ? stop : NaN), 0);
  if (end !== data.length) throw new ConvlensError(`${damaged}: its arrays are not all of its data`);
  return found;
}

function requireKind(header, name) {
  const { format_version: version, kind } = header;
  if (!Number.isInteger(version) || version < 1) {
    throw new ConvlensError(`${name} is damaged: it has format version ${shown(version)}, and the first was 1`);
  }
  if (version > FORMAT_VERSION) {
    throw new ConvlensError(
      `${name} has format version ${version}, and this page reads up to ${FORMAT_VERSION}; use a newer convlens`,
    );
  }
  if (kind !== "model") {
    throw new ConvlensError(`${name} is a ${typeof kind === "string" ? kind : shown(kind)}, and a model is needed`);
  }
}

/** Return an array's numbers, copied: a file's bytes need not lie where typed arrays may begin. */
function floats(key, { shape, bytes }, name) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float32Array(bytes.length / FLOAT);
  for (let i = 0; i < data.length; i++) data[i] = view.getFloat32(FLOAT * i, true);
  if (!data.every(Number.isFinite)) throw new ConvlensError(`${name} is damaged: ${key} holds non-finite values`);
  return { shape, data };
}
