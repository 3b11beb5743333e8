/** The room Inside: every layer's maps of one network, and how any number in them comes about. */

import { ConvlensError, copied } from "../engine/index.js";
import { SIDE, blank, rendered, shifted } from "../drawing.js";
import { ShiftPad } from "../draw/controls.js";
import { OpenFile } from "../draw/room.js";
import { Surface } from "../draw/surface.js";
import { view } from "../fields.js";
import { fitted, fitting } from "../fit.js";
import { catalogue, entry, useModels } from "../library.js";
import * as state from "../state.js";
import { html, useEffect, useMemo, useRef } from "../view.js";
import { grouped, percent } from "../words.js";
import { Details } from "./details.js";
import { useMeters } from "./equivariance.js";
import { Layer, belongs } from "./layers.js";
import { Snapshots } from "./snapshots.js";
import { fieldOf } from "./unit.js";

state.declare({
  model: state.text(""),
  layer: state.text(""),
  unit: state.numbers(null, 3),
});

/** Show a model whose file was dropped. */
export function opened(name) {
  state.set({ model: name, layer: "", unit: null });
}

const FIRST = "cnn";
const EMPTY = blank();

function chosen() {
  const name = state.get("model");
  if (name) return name;
  const [first] = catalogue.models;
  const own = first?.address?.startsWith("api/") && !first.trained ? first : null;
  return (own ?? entry(FIRST) ?? first)?.name ?? "";
}

export function Room({ open }) {
  const get = state.useView();
  const drawing = get("drawing") ?? EMPTY;
  const { shift, ...before } = view();
  const still = useMemo(() => rendered(drawing, before), [drawing, ...Object.values(before)]);
  const pixels = useMemo(() => shifted(still, shift), [still, ...shift]);
  const name = chosen();
  const [found] = useModels([name]);
  const { model, name: shownName } = useLast(name, found);
  const look = useMemo(() => looked(model, pixels), [model, pixels]);
  const meters = useMeters(model, still, shift);
  const node = chosenNode(model, get("layer"));
  const unit = node && belongs(get("unit"), node.outputShape) ? get("unit") : null;
  const field = useMemo(() => (unit ? fieldOf(model, node, unit) : null), [model, node, unit]);
  return html`
    <div class="inside-room">
      <div class="bar">
        <h1>Look inside</h1>
        <${Choice} name=${name} open=${open} />
        <${Snapshots} name=${name} />
      </div>
      ${found instanceof Error && html`<p class="problem" role="alert">${found.message}</p>`}
      ${!model && !(found instanceof Error) && html`<p class="loading">Loading…</p>`}
      ${
        model &&
        html`
          <section class="input" aria-labelledby="input-title">
            <h2 id="input-title">The drawing</h2>
            <${Surface} pixels=${pixels} tool="move" help="inside-help">
              ${field && html`<${Field} field=${field} shape=${model.inputShape} />`}
            <//>
            <${ShiftPad} />
            <p id="inside-help" class="note">
              Drag it, or use the arrow keys, and watch the maps. ${field ? "The frame is what the chosen unit sees." : ""}
            </p>
            ${fitting(model.inputShape) && html`<p class="note">${fitting(model.inputShape)}</p>`}
            ${look.problem ? html`<p class="problem">${look.problem}</p>` : html`<${Answer} model=${model} look=${look} />`}
          </section>
          ${!look.problem && html`<${Layers} model=${model} look=${look} node=${node} unit=${unit} meters=${meters} />`}
          ${!look.problem && html`<${Details} model=${model} name=${shownName} still=${still} look=${look} node=${node}
            unit=${unit} meters=${meters} />`}
        `
      }
    </div>
  `;
}

/** The model with its name; the one before while it is being loaded, so that the view does not flicker. */
function useLast(name, found) {
  const last = useRef({ model: null, name: "" });
  if (found instanceof Error) return { model: null, name };
  if (found) last.current = { model: found, name };
  return last.current;
}

/** Every value of the network for an image, or why there are none. */
function looked(model, pixels) {
  if (!model) return {};
  try {
    const image = fitted(pixels, model.inputShape);
    const probabilities = model.probabilities(image);
    return { image, probabilities, values: copied(model.forward(image)) };
  } catch (error) {
    if (!(error instanceof ConvlensError)) throw error;
    return { problem: error.message };
  }
}

/** The node that was chosen; the first one, if the model has none of its name. */
function chosenNode(model, name) {
  return model && (model.nodes.find((one) => one.name === name) ?? model.nodes[0]);
}

function Choice({ name, open }) {
  const known = catalogue.models.some((one) => one.name === name);
  return html`
    <div class="choice">
      <label>
        <span class="unseen">Network</span>
        <select value=${known ? name : ""} onChange=${(event) => state.set({ model: event.target.value })}>
          ${!known && html`<option value="">${entry(name)?.title ?? "none"}</option>`}
          ${catalogue.models.map((one) => html`<option key=${one.name} value=${one.name}>${one.title}</option>`)}
        </select>
      </label>
      <${OpenFile} open=${open} />
      <p class="note">${entry(name) ? `${grouped(entry(name).parameters)} parameters; ${entry(name).about}` : ""}</p>
    </div>
  `;
}

/** What the unit sees of the drawing, as a frame on it. */
function Field({ field, shape }) {
  const [down, right] = [SIDE / shape[0], SIDE / shape[1]];
  const box = {
    x: field.left * right,
    y: field.top * down,
    width: (field.right - field.left) * right,
    height: (field.bottom - field.top) * down,
  };
  return html`<rect class="field under" ...${box} /><rect class="field" ...${box} />`;
}

function Answer({ model, look }) {
  const order = [...look.probabilities.keys()].sort((a, b) => look.probabilities[b] - look.probabilities[a]);
  return html`
    <p class="answer">
      It reads <strong>${model.classNames[order[0]]}</strong> (${percent(look.probabilities[order[0]])})${
        order.length > 1 ? html`, then ${model.classNames[order[1]]} (${percent(look.probabilities[order[1]])})` : ""
      }.
    </p>
  `;
}

function Layers({ model, look, node, unit, meters }) {
  const last = model.nodes.at(-1);
  const start = useRef(null);
  useEffect(() => {
    // a link leads to its layer; later choices are where the reader already is
    if (state.get("layer")) start.current?.querySelector(".layer.chosen")?.scrollIntoView({ block: "nearest" });
  }, []);
  return html`
    <section ref=${start} class="layers" aria-label="Layers">
      ${model.nodes.map(
        (one) => html`
          <${Layer}
            key=${one.name}
            node=${one}
            value=${look.values.get(one.name)}
            names=${one === last ? model.classNames : null}
            unit=${one === node ? unit : null}
            choose=${(place) => state.set({ layer: one.name, unit: place })}
            meter=${meters.get(one.name)}
          />
        `,
      )}
    </section>
  `;
}
