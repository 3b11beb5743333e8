/** The room Train: compose a network, train it, watch it, stop it, take it up again; without a server, recorded trainings. */

import { catalogue } from "../library.js";
import * as state from "../state.js";
import { html, useEffect, useState } from "../view.js";
import { sentence } from "../words.js";
import { useComposition } from "./composition.js";
import { Curves } from "./curves.js";
import { Focus } from "./focus.js";
import { Layers } from "./layers.js";
import { FIRST, begin, begun, change, choices as offered, plan } from "./plan.js";
import { RecipeForm } from "./recipe.js";
import { Tried } from "./tried.js";
import { ask, networkWords, useTrainings } from "./trainings.js";

/** A model's file was dropped here: it is looked into. */
export async function opened(name) {
  (await import("../inside/room.js")).opened(name);
  state.set({ room: "inside" }, true);
}

export function Room() {
  const get = state.useView();
  const { trainings, reachable, refusal, heard, version } = useTrainings();
  const [problem, setProblem] = useState("");
  const hidden = new Set(get("hidden"));
  const named = trainings.find((one) => one.name === get("training"));
  const chosen = named ?? trainings.at(catalogue.live ? -1 : 0);
  const does = async (action) => {
    setProblem("");
    try {
      await action();
    } catch (error) {
      if (error.name !== "ConvlensError") throw error;
      setProblem(error.message);
    }
  };
  const groups = [...new Set(trainings.map((one) => one.group))];
  const shown = trainings.filter((one) => !hidden.has(one.name));
  const show = (name, on) => state.set({ hidden: on ? get("hidden").filter((one) => one !== name) : [...get("hidden"), name] });
  return html`
    <div class=${catalogue.live ? "train-room" : "train-room recorded"}>
      <h1>${catalogue.live ? "Train your own" : "Watch trainings"}</h1>
      ${!reachable && html`<p class="problem" role="alert">${refusal ? sentence(refusal) : "The lab does not answer. Its trainings are kept; start it again with “convlens lab”, and this page goes on by itself."}</p>`}
      ${problem && html`<div class="problem" role="alert"><p>${problem}</p><button type="button" onClick=${() => setProblem("")}>Close</button></div>`}
      ${get("training") && !named && heard && !begun.name && html`<p class="notice absent" role="status">The training ${get("training")}, which the address names, is not here: it was trained in another lab, or deleted.</p>`}
      ${catalogue.live ? html`<${Compose} reachable=${reachable} does=${does} />` : html`<${Recorded} />`}
      <div class="watch">
        ${chosen && html`<${Focus} training=${chosen} seeds=${trainings.filter((one) => one.group === chosen.group)} colour=${groups.indexOf(chosen.group)} does=${does} version=${version} />`}
        ${!chosen && heard && html`<p class="hint">Nothing has been trained here yet. Compose a network, and start: one epoch of the network shown takes well under a minute.</p>`}
        ${!chosen && !heard && reachable && html`<p class="loading">Loading…</p>`}
        ${trainings.length > 0 && html`<${Curves} trainings=${shown} groups=${groups} version=${version} />`}
      </div>
      ${trainings.length > 0 && html`<${Tried} trainings=${trainings} groups=${groups} hidden=${hidden} show=${show} chosen=${chosen} does=${does} />`}
    </div>
  `;
}

function Compose({ reachable, does }) {
  const { data, reading, seeds } = plan();
  const [choices, setChoices] = useState(null);
  useEffect(() => void (reachable && does(async () => setChoices(await offered()))), [reachable]);
  const { composition, refused, settings } = useComposition(plan(), reachable);
  if (!choices) return html`<section class="compose" aria-label="Compose"><p class="loading">Loading…</p></section>`;
  const ready = composition && !composition.problem && !refused && !settings;
  const train = (paused) => does(() => begin({ paused }));
  const start = (name) =>
    does(async () => change({ layers: (await ask("/start", { method: "POST", body: { ...reading, name, data } })).layers }, true));
  const keys = (event) => {
    if (!ready || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    train(false);
  };
  return html`
    <section class="compose" aria-labelledby="compose-title" onKeyDown=${keys}>
      <div class="title">
        <h2 id="compose-title">The network</h2>
        <label><span class="unseen">Begin with the layers of</span>
          <select value="" onChange=${(event) => event.target.value && start(event.target.value)}>
            <option value="">begin with …</option>
            ${Object.entries(choices.starts).map(([name]) => html`<option key=${name} value=${name}>${name}</option>`)}
          </select></label>
      </div>
      <${Layers} choices=${choices} composition=${composition} />
      <h2>How it is trained</h2>
      <${RecipeForm} choices=${choices} composition=${composition} refused=${refused} problem=${settings} />
      <div class="begin">
        <button type="button" class="main" disabled=${!ready} onClick=${() => train(false)}>
          ${seeds > 1 ? `Train ${seeds} seeds` : "Train"}
        </button>
        <button type="button" disabled=${!ready} onClick=${() => train(true)}>Step by step</button>
        <button type="button" class="quiet" onClick=${() => change(FIRST, true)}>Reset</button>
      </div>
      <p class="note">Alt with the arrow keys moves a layer, Ctrl with Enter trains. Back undoes a reset. The test set is not read here: validation chooses.</p>
    </section>
  `;
}

function Recorded() {
  return html`
    <section class="told" aria-label="About these trainings">
      <p>
        <b>These trainings were recorded.</b> They are real: loss, accuracy, filters and confusion matrices as they were
        while each network was trained, three seeds each. To compose networks and train them live, run the lab on your own
        machine:
      </p>
      <pre tabindex="0"><code>pip install '.[fast,lab]'    # in the folder of convlens
convlens lab</code></pre>
      ${plan() !== FIRST && html`<${Planned} />`}
    </section>
  `;
}

/** A network that the address holds, and that nothing here can train. */
function Planned() {
  const { layers, base, data, seed, seeds } = plan();
  const from = seeds > 1 ? `seeds ${seed} to ${seed + seeds - 1}` : `seed ${seed}`;
  return html`
    <p><b>The address holds a network to train:</b> ${networkWords({ layers })}; recipe ${base}, data ${data}, ${from}. In your lab, open the same
      address from # on:</p>
    <pre tabindex="0"><code>#${String(new URLSearchParams({ room: "train", plan: JSON.stringify(plan()) }))}</code></pre>
  `;
}
