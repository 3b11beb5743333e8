/** One setting of a layer or of a recipe: chosen, or typed. */

import { html, useState } from "../view.js";

/**
 * @param {object} settings
 * @param {{name: string, kind: string, options?: string[]}} settings.setting
 * @param {*} settings.value
 * @param {(value: *) => void} settings.put
 * @param {string} [settings.label]
 */
export function Setting({ setting, value, put, label = setting.name.replaceAll("_", " ") }) {
  if (setting.kind === "choice") return html`<${Chosen} label=${label} value=${value} options=${setting.options} put=${put} />`;
  if (setting.kind === "switch") {
    return html`<${Chosen} label=${label} value=${value ? "yes" : "no"} options=${["yes", "no"]} put=${(word) => put(word === "yes")} />`;
  }
  return html`<${Typed} label=${label} value=${value} put=${put} />`;
}

export function Chosen({ label, value, options, put }) {
  return html`<label><span>${label}</span>
    <select value=${value} onChange=${(event) => put(event.target.value)}>
      ${options.map((word) => html`<option key=${word} value=${word}>${word}</option>`)}
    </select></label>`;
}

export function Typed({ label, value, put }) {
  return html`<label><span>${label}</span>
    <${Field} inputmode="decimal" value=${written(value)} put=${(text) => put(entered(text))} />
  </label>`;
}

/**
 * A field whose text counts once it is left or Enter is pressed. What is being typed stays, whatever else changes on the
 * page meanwhile: news of a training come five times a second.
 */
export function Field({ value, put, type = "text", ...others }) {
  const [typed, setTyped] = useState(null);
  const done = (event) => {
    setTyped(null);
    put(event.target.value);
  };
  return html`<input ...${others} type=${type} value=${typed ?? value}
    onInput=${(event) => setTyped(event.target.value)} onChange=${done} onBlur=${() => setTyped(null)} />`;
}

const written = (value) => (value === null || value === undefined ? "" : [value].flat().join(", "));

/** What was typed: a number, several, nothing, or the text itself, which the server will refuse in words. */
function entered(text) {
  if (!text.trim()) return null;
  const parts = text.split(/[,×x ]+/).filter(Boolean).map(Number);
  if (!parts.length || parts.some(Number.isNaN)) return text.trim();
  return parts.length === 1 ? parts[0] : parts;
}
