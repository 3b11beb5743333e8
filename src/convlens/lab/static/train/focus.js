/** One training: how far it is, what can be done with it, its filters and its confusion matrix at a moment. */

import { scaleOf } from "../colour.js";
import { Pixels } from "../pixels.js";
import * as state from "../state.js";
import { html, useEffect, useMemo, useRef } from "../view.js";
import { grouped } from "../words.js";
import { Actions } from "./actions.js";
import { Confusion } from "./confusion.js";
import { begun } from "./plan.js";
import { colourOfGroup } from "./plot.js";
import { accuracies, lasting, networkWords, recipeWords, shownAccuracy } from "./trainings.js";

const WORDS = {
  waiting: "waiting for a free core", running: "running", paused: "paused", finished: "finished", stopped: "stopped",
  interrupted: "interrupted", failed: "failed",
};

export function Focus({ training, seeds, colour, does }) {
  const { state: now, why, start, step, epochs } = training;
  const title = useRef(null);
  useEffect(() => {
    if (begun.name !== training.name) return;
    begun.name = "";
    title.current.focus({ preventScroll: true });
    const { top, bottom } = title.current.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) title.current.scrollIntoView(); // on a phone it is far below the button
  });
  const last = epochs.length - 1;
  const found = epochs.findIndex((row) => row.step === state.get("after"));
  const place = found < 0 ? last : found;
  const row = epochs[place];
  return html`
    <section class="focus" aria-labelledby="focus-title">
      <div class="title">
        <h2 id="focus-title" tabindex="-1" ref=${title}><i class="swatch" style=${{ background: colourOfGroup(colour) }}></i>${training.title}</h2>
        <span class=${`badge ${now}`}>${WORDS[now] ?? now}</span>
      </div>
      <p class="note">${training.about ?? networkWords(training.configuration)}; ${training.configuration && recipeWords(training.configuration)}; seed ${training.configuration?.seed}</p>
      ${why && html`<p class=${now === "failed" ? "wrong" : "why"} role="status">${why}</p>`}
      ${start && !training.recorded && html`<progress max=${start.steps} value=${step} aria-label="Steps taken"></progress>`}
      <${Numbers} training=${training} />
      ${training.recorded ? html`<pre tabindex="0"><code>${training.command}</code></pre>` : html`<${Actions} training=${training} seeds=${seeds} does=${does} />`}
      ${
        last > 0 &&
        html`<label class="moment"><span>after step <b>${row.step.toLocaleString("en")}</b></span>
          <input type="range" min="0" max=${last} value=${place} aria-valuetext=${`after step ${row.step}`}
            onInput=${(event) => state.set({ after: Number(event.target.value) < last ? epochs[event.target.value].step : null })} /></label>`
      }
      <div class="insides">
        <${Filters} training=${training} step=${place === last ? Infinity : row.step} />
        ${row?.confusion && html`<${Confusion} key=${training.name} training=${training} row=${row} does=${does} />`}
      </div>
    </section>
  `;
}

function Numbers({ training }) {
  const { start, step, now, state: is } = training;
  const { last } = accuracies(training);
  const ends = training.points.at(-1);
  const rows = [
    ["step", start ? `${grouped(step)} of ${grouped(start.steps)}` : "–"],
    ["epoch", start ? (step / start.epoch_steps).toFixed(2) : "–"],
    ["loss", (now.loss ?? ends?.[1])?.toPrecision(3) ?? "–"],
    ["accuracy", shownAccuracy(now.accuracy ?? ends?.[2])],
    ["validation", shownAccuracy(last)],
  ];
  if (is === "running") {
    rows.push(["images/s", now.images_per_second ? grouped(now.images_per_second) : "–"]);
    rows.push(["time left", now.seconds_left === undefined || now.seconds_left === null ? "–" : lasting(now.seconds_left)]);
  } else {
    rows.push(["parameters", start ? grouped(start.parameters) : "–"]);
  }
  return html`<dl class="numbers">${rows.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** The kernels of the first convolution, as they were at a step or at last. */
function Filters({ training, step }) {
  const found = training.filters.findLast((one) => one.step <= step) ?? training.filters[0];
  const flat = useMemo(() => found && Float32Array.from(found.filters.flat(3)), [found]);
  if (!found) {
    return training.start && training.points.length
      ? html`<div class="filters"><h3>Filters of the first layer</h3><p class="note">Its first layer with weights is no convolution, so it has no filters.</p></div>`
      : null;
  }
  const scale = scaleOf(flat);
  const [count, height, width, channels] = [found.filters.length, found.filters[0].length, found.filters[0][0].length, found.filters[0][0][0].length];
  return html`
    <div class="filters">
      <h3>Filters of the first layer, after step ${grouped(found.step)}</h3>
      <div class="grid">
        ${Array.from({ length: count }, (_, i) => html`<${Pixels} key=${i} values=${flat} height=${height} width=${width} scale=${scale}
          offset=${i * height * width * channels} stride=${channels} label=${`filter ${i + 1}`} version=${found.step} />`)}
      </div>
      <p class="note">Orange below 0, purple above, up to ±${scale.most.toPrecision(2)}${channels > 1 ? "; of the first channel" : ""}.</p>
    </div>
  `;
}
