/** Checks of what a file says, before anything is computed with it. */

import { ConvlensError } from "./errors.js";
import { nearest } from "./names.js";

/** @typedef {number[]} Shape whole numbers above 0 */

const SHOWN = 60; // characters of a wrong value that a message shows

/**
 * How a wrong value is shown in a message.
 * @param {unknown} value
 * @returns {string}
 */
export function shown(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Refuse anything but an object that has these keys and no other.
 * @param {unknown} value
 * @param {string[]} wanted
 * @param {string} where what the value is, for the message
 * @param {string[]} [optional] keys that may be missing
 */
export function requireKeys(value, wanted, where, optional = []) {
  if (!isObject(value)) throw new ConvlensError(`${where} is ${shown(value)}, and an object is needed`);
  const known = [...wanted, ...optional];
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw new ConvlensError(`${where} has the unknown key '${key}'${nearest(key, known)}`);
  }
  for (const key of wanted) {
    if (!Object.hasOwn(value, key)) throw new ConvlensError(`${where} lacks the key '${key}'`);
  }
}

/**
 * Return a list of whole numbers; an error if it is anything else.
 * @param {unknown} value
 * @param {string} where
 * @param {{length?: number, least?: number}} [limits]
 * @returns {number[]}
 */
export function wholeNumbers(value, where, { length, least = 0 } = {}) {
  const fits = (one) => Number.isSafeInteger(one) && one >= least;
  if (Array.isArray(value) && value.every(fits) && (length === undefined || value.length === length)) return value;
  const many = length === undefined ? "whole numbers" : `${length} whole numbers`;
  throw new ConvlensError(`${where} is ${shown(value)}, and a list of ${many}, ${least} or more, is needed`);
}

/**
 * Return a shape: a list of one or three whole numbers above 0.
 * @param {unknown} value
 * @param {string} where
 * @returns {Shape}
 */
export function shapeOf(value, where) {
  const shape = wholeNumbers(value, where, { least: 1 });
  if (shape.length === 1 || shape.length === 3) return shape;
  throw new ConvlensError(`${where} is ${shown(value)}, and a shape is [D] or [H, W, C]`);
}

/**
 * @param {unknown} value
 * @param {string} where
 * @returns {number}
 */
export function finiteNumber(value, where) {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new ConvlensError(`${where} is ${shown(value)}, and a finite number is needed`);
}

/**
 * @param {readonly number[]} one
 * @param {readonly number[]} other
 * @returns {boolean}
 */
export function sameShape(one, other) {
  return one.length === other.length && one.every((size, axis) => size === other[axis]);
}

/**
 * The number of values in an array of a shape.
 * @param {readonly number[]} shape
 * @returns {number}
 */
export function sizeOf(shape) {
  return shape.reduce((product, size) => product * size, 1);
}
