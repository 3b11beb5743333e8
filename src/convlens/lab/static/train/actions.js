/** What can be done with a training: paused, gone on with, trained on, used elsewhere, composed again, deleted. */

import { announce } from "../announce.js";
import { offer } from "../library.js";
import * as state from "../state.js";
import { html, useEffect, useState } from "../view.js";
import { sentence } from "../words.js";
import { change, choices, look, planOf } from "./plan.js";
import { ask, modelEntry } from "./trainings.js";

export function Actions({ training, seeds, does }) {
  const { state: now, name, hasModel } = training;
  const command = (word) => () => does(() => ask(`/${name}/${word}`, { method: "POST" }));
  const active = isActive(training);
  const use = (room) => () =>
    does(async () => {
      offer(modelEntry(name, training.title, training.start?.parameters ?? 0));
      (await import(`../${room}/room.js`)).opened(`training:${name}`);
      state.set({ room }, true);
    });
  return html`
    <div class="actions">
      ${now === "running" && html`<button type="button" onClick=${command("pause")}>Pause</button>`}
      ${now === "paused" && html`<button type="button" onClick=${command("step")}>Step</button>`}
      ${now !== "running" && now !== "waiting" && now !== "finished" && html`<button type="button" class="main" onClick=${command("resume")}>Resume</button>`}
      ${active && html`<button type="button" onClick=${command("stop")}>Stop</button>`}
      ${
        hasModel &&
        html`
          <button type="button" onClick=${use("draw")}>Use in Draw</button>
          <button type="button" onClick=${use("inside")}>Look inside</button>
          <a class="button" href=${`api/trainings/${name}/model`} download=${`training-${name}.safetensors`}>Save the model</a>
        `
      }
      <button type="button" onClick=${() => does(() => compose(training))}>Compose again</button>
      <${Delete} key=${name} name=${name} does=${does} />
    </div>
    ${!active && training.configuration && html`<${TrainOn} key=${`${name} ${training.configuration.recipe.epochs}`} training=${training} seeds=${seeds.filter((one) => !isActive(one))} />`}
  `;
}

const isActive = ({ state: now }) => now === "running" || now === "paused" || now === "waiting";

/** Put the network and settings of a training where they can be changed, and go there. */
async function compose(training, changes = {}) {
  const plan = planOf(training.configuration, await choices());
  change({ ...plan, changes: { ...plan.changes, ...changes } }, true);
  announce(`The network of ${training.title} can be changed now`);
  const begin = document.querySelector(".begin button");
  begin?.scrollIntoView({ block: "nearest" });
  begin?.focus();
}

function Delete({ name, does }) {
  const [sure, setSure] = useState(false);
  if (!sure) return html`<button type="button" class="quiet" onClick=${() => setSure(true)}>Delete</button>`;
  const gone = async () => {
    await ask(`/${name}`, { method: "DELETE" });
    look("");
  };
  return html`
    <button type="button" class="danger" onClick=${() => does(gone)}>Delete it for good</button>
    <button type="button" class="quiet" onClick=${() => setSure(false)}>Keep it</button>
  `;
}

/** More epochs for a training that has ended, or for all seeds of it; or why not, and what can be done instead. */
function TrainOn({ training, seeds }) {
  const { epochs } = training.configuration.recipe;
  const [wanted, setWanted] = useState(2 * epochs);
  const [refused, setRefused] = useState("");
  useEffect(() => setRefused(""), [training.state]);
  const tried = (action) => async () => {
    setRefused("");
    try {
      await action();
    } catch (error) {
      if (error.name !== "ConvlensError") throw error;
      setRefused(error.message);
    }
  };
  const extend = (some) =>
    tried(async () => {
      for (const { name } of some) await ask(`/${name}/extend`, { method: "POST", body: { epochs: wanted } });
    });
  const begin = (event) => {
    event.preventDefault();
    extend(event.submitter?.value ? seeds : [training])();
  };
  return html`
    <form class="actions" onSubmit=${begin}>
      <label>Train on, to <input type="number" min=${epochs + 1} step="1" required value=${wanted} aria-label="epochs in all"
        onInput=${(event) => setWanted(Number(event.target.value))} /> epochs in all</label>
      <button>Train on</button>
      ${seeds.length > 1 && html`<button value="all">Train all ${seeds.length} seeds on</button>`}
    </form>
    ${
      refused &&
      html`<div class="refused" role="alert"><p class="wrong">${sentence(refused)}</p>
        <button type="button" onClick=${tried(() => compose(training, { epochs: wanted }))}>Compose it with ${wanted} epochs</button></div>`
    }
  `;
}
