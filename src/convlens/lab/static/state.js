/**
 * The state of the view, which is the part of the address after `#`: opening a link restores the view.
 *
 * A room declares its fields with `declare`. In memory a field has a value of any type; in the address it is a text, and
 * absent while it has its default. Fields that nobody has declared are kept as they are.
 */

import { useEffect, useState } from "./view.js";

/**
 * @typedef {object} Field
 * @property {*} initial
 * @property {(text: string) => *} parse gives undefined for a text that is not valid: the default is used then
 * @property {(value: *) => string} format
 */

/** @type {Map<string, Field>} */
const fields = new Map();
let values = new Map();
let unknown = new Map();
const listeners = new Set();
const WAIT = 250; // ms: browsers allow few changes of the address in a second
let timer = 0;

/** @param {Record<string, Field>} more */
export function declare(more) {
  for (const [name, field] of Object.entries(more)) {
    fields.set(name, field);
    if (unknown.has(name)) take(name, unknown.get(name), values);
    unknown.delete(name);
  }
}

/** @param {string} name */
export function get(name) {
  return values.has(name) ? values.get(name) : fields.get(name).initial;
}

/**
 * Change some fields. The address follows a moment later, without a new entry in the history, unless `step` is true.
 * @param {Record<string, *>} changes
 */
export function set(changes, step = false) {
  for (const [name, value] of Object.entries(changes)) {
    if (!fields.has(name)) throw new Error(`the state has no field ${name}`);
    values.set(name, value);
  }
  clearTimeout(timer);
  if (step) {
    history.pushState(null, "", address());
  } else {
    timer = setTimeout(write, WAIT);
  }
  for (const listener of listeners) listener();
}

/** The address of the present view. */
export function link() {
  return new URL(address(), location.href).href;
}

/** Re-render a component whenever the state changes; returns `get`. */
export function useView() {
  const [, again] = useState(0);
  useEffect(() => {
    const listener = () => again((n) => n + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return get;
}

/**
 * Re-render a component only when what it wants to know of the state changes.
 * @template T
 * @param {() => T} select
 * @returns {T}
 */
export function useValue(select) {
  const [value, setValue] = useState(select);
  useEffect(() => {
    const listener = () => setValue(select);
    listeners.add(listener);
    listener(); // it may have changed since it was rendered
    return () => listeners.delete(listener);
  }, []);
  return value;
}

function address() {
  const parameters = new URLSearchParams(Object.fromEntries(unknown));
  for (const [name, value] of values) {
    const field = fields.get(name);
    const text = field.format(value);
    if (text !== field.format(field.initial)) parameters.set(name, text);
  }
  const text = parameters.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return `${location.pathname}${location.search}#${text}`;
}

function write() {
  history.replaceState(null, "", address());
}

function read() {
  const before = values;
  values = new Map();
  unknown = new Map();
  for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
    if (fields.has(name)) take(name, text, before);
    else unknown.set(name, text);
  }
  for (const listener of listeners) listener();
}

/** Read one field; where its value has not changed, it stays the same object, so that nothing is computed again. */
function take(name, text, before) {
  const field = fields.get(name);
  const value = field.parse(text);
  if (value === undefined) return;
  const old = before.get(name);
  values.set(name, old !== undefined && field.format(old) === field.format(value) ? old : value);
}

addEventListener("hashchange", read);
addEventListener("popstate", read);
read();

// Kinds of fields.

/** @returns {Field} */
export const text = (initial = "") => ({ initial, parse: (given) => given, format: String });

/** One of some texts. @returns {Field} */
export const choice = (initial, known) => ({
  initial,
  parse: (given) => (known.includes(given) ? given : undefined),
  format: String,
});

/** A number in a range, in multiples of `unit`. @returns {Field} */
export const number = (initial, least, most, unit = 1) => ({
  initial,
  parse: (given) => {
    const value = Number(given);
    return given !== "" && value >= least && value <= most ? Math.round(value / unit) * unit : undefined;
  },
  format: (value) => (value === null ? "" : String(Number(value.toFixed(4)))),
});

/** Several whole numbers: at most `longest`, each at most `most` in size. @returns {Field} */
export const numbers = (initial, longest, most = 1e6) => ({
  initial,
  parse: (given) => {
    const found = given.split(",").map(Number);
    const valid = found.length <= longest && found.every((one) => Number.isInteger(one) && Math.abs(one) <= most);
    return valid ? found : undefined;
  },
  format: (value) => (value === null ? "" : value.join(",")),
});

/** Several texts without commas. @returns {Field} */
export const list = (initial) => ({
  initial,
  parse: (given) => given.split(",").filter(Boolean),
  format: (value) => (value === null ? "" : value.join(",")),
});
