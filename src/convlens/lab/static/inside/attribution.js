/** Which pixels decided? Attributions of a class, each beside the same of a network with random weights. */

import { scaleOf } from "../colour.js";
import { bytes } from "../library.js";
import { Pixels } from "../pixels.js";
import * as state from "../state.js";
import { html, useEffect, useRef, useState } from "../view.js";

const METHODS = [
  { name: "gradient", title: "Gradient", about: "How much the class's score would change with each pixel." },
  { name: "integratedGradients", title: "Integrated gradients", about: "What each pixel adds to the score, from a blank image on." },
  { name: "gradCam", title: "Grad-CAM", about: "Where the last convolution's maps speak for the class." },
  { name: "occlusion", title: "Occlusion", about: "How much the probability falls where a square covers the drawing." },
];
const ALIKE = 0.5; // a rank correlation above this: random weights would have shown nearly the same

state.declare({ method: state.choice("gradient", METHODS.map((one) => one.name)) });

/** A worker with one model, which is asked one thing at a time; of several questions meanwhile, the last is kept. */
class Attributer {
  #worker = new Worker(new URL("attribution_worker.js", import.meta.url), { type: "module" });
  #busy = false;
  #next = null;
  #id = 0;

  constructor(content, told) {
    this.#worker.postMessage({ content });
    this.#worker.addEventListener("message", ({ data }) => {
      this.#busy = false;
      if (data.id === this.#id) told(data);
      if (this.#next) this.#send();
    });
  }

  ask(question) {
    this.#id += 1;
    this.#next = { ...question, id: this.#id };
    if (!this.#busy) this.#send();
  }

  close() {
    this.#worker.terminate();
  }

  #send() {
    this.#busy = true;
    this.#worker.postMessage(this.#next);
    this.#next = null;
  }
}

export function Attribution({ model, name, image, k }) {
  const [found, setFound] = useState(null);
  const worker = useRef(null);
  const method = METHODS.find((one) => one.name === state.get("method"));
  useEffect(() => {
    let left = false;
    setFound(null);
    const ready = bytes(name).then((content) => {
      if (!left) worker.current = new Attributer(content, setFound);
    });
    ready.then(() => worker.current?.ask({ pixels: image, method: method.name, k }));
    return () => {
      left = true;
      worker.current?.close();
      worker.current = null;
    };
  }, [name]);
  useEffect(() => {
    worker.current?.ask({ pixels: image, method: method.name, k });
  }, [image, method, k]);
  return html`
    <label class="row"><span>Method</span>
      <select value=${method.name} onChange=${(event) => state.set({ method: event.target.value })}>
        ${METHODS.map((one) => html`<option key=${one.name} value=${one.name}>${one.title}</option>`)}
      </select>
    </label>
    <p class="note">For the class <b>${model.classNames[k]}</b>. ${method.about}</p>
    ${!found && html`<p class="loading" role="status">Computing…</p>`}
    ${found?.error && html`<p class="problem">${found.error}</p>`}
    ${found?.attribution && html`<${Both} found=${found} />`}
  `;
}

function Both({ found: { attribution, check, correlation } }) {
  const image = ({ shape, data }) => ({ values: data, height: shape[0], width: shape[1], scale: scaleOf(data) });
  return html`
    <div class="three two">
      <figure><${Pixels} ...${image(attribution)} label="Attribution of the trained network" />
        <figcaption>the trained network</figcaption></figure>
      <figure><${Pixels} ...${image(check)} label="The same with random weights" />
        <figcaption>random weights</figcaption></figure>
    </div>
    <p class="check">
      ${
        correlation === null
          ? "One of the two is the same everywhere, so they cannot be compared."
          : html`Rank correlation of both, without signs: <b>${correlation.toFixed(2).replace("-", "−")}</b>. ${
              correlation > ALIKE
                ? "A network that has learned nothing shows nearly the same: this says more about the drawing than about the network."
                : "A network that has learned nothing shows something else: the check does not speak against it."
            }`
      }
    </p>
  `;
}
