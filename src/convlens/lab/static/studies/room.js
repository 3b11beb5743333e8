/** The room Studies: the question, what the reader expects, and only then what was measured, with the command that repeats it. */

import * as state from "../state.js";
import { announce } from "../announce.js";
import { html, useEffect, useMemo, useState } from "../view.js";
import { Curves } from "./curves.js";
import { Intervals } from "./intervals.js";

state.declare({
  study: state.text(""),
  // The place that the reader chose, from 0; -1: shown without a choice
  expect: state.number(null, -1, 20),
  // What is shown of every arm; none: the primary metric
  metric: state.text(""),
});

/** A model's file was dropped here: it is looked into. */
export async function opened(name) {
  (await import("../inside/room.js")).opened(name);
  state.set({ room: "inside" }, true);
}

const fetched = new Map();

function load(address) {
  if (!fetched.has(address)) {
    const found = fetch(address).then((answer) => {
      if (!answer.ok) throw new Error(`there is nothing at ${address} (${answer.status})`);
      return answer.json();
    });
    found.catch(() => fetched.delete(address));
    fetched.set(address, found);
  }
  return fetched.get(address);
}

export function Room() {
  const get = state.useView();
  const [studies, setStudies] = useState(null);
  const [study, setStudy] = useState(null);
  const [problem, setProblem] = useState("");
  const chosen = studies?.find((one) => one.name === get("study")) ?? studies?.[0];
  useEffect(() => {
    const failed = (error) => setProblem(`the studies cannot be read: ${error.message}`);
    load("api/studies.json").then(({ studies: all }) => setStudies(all), failed);
  }, []);
  useEffect(() => {
    let left = false;
    const failed = (error) => left || setProblem(`the study “${chosen.name}” cannot be read: ${error.message}`);
    setProblem("");
    if (chosen) load(chosen.address).then((found) => left || setStudy(found), failed);
    return () => {
      left = true;
    };
  }, [chosen]);
  const there = study && study.name === chosen?.name;
  return html`
    <div class="studies-room">
      <h1 class=${chosen ? "unseen" : ""}>Studies</h1>
      ${studies && !chosen && html`<p class="note">No study's results are stored here. “convlens study list” says what can be run.</p>`}
      ${studies?.length > 1 && html`<${Choice} studies=${studies} study=${chosen} />`}
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${!there && !problem && (chosen || !studies) && html`<p class="loading">Loading…</p>`}
      ${there && html`<${Study} key=${study.name} study=${study} expect=${get("expect")} />`}
    </div>
  `;
}

/** A list beside the study; where there is no room for it, a menu above. */
function Choice({ studies, study }) {
  return html`
    <label class="menu"><span class="unseen">Study</span>
      <select value=${study.name} onChange=${(event) => show(event.target.value)}>
        ${studies.map((one) => html`<option key=${one.name} value=${one.name}>${one.question}</option>`)}
      </select></label>
    <nav class="list" aria-label="Studies">
      ${studies.map(
        (one) => html`<a key=${one.name} href=${`#room=studies&study=${one.name}`} aria-current=${one === study ? "true" : null}
          onClick=${(event) => {
            event.preventDefault();
            show(one.name);
          }}>${one.question}</a>`,
      )}
    </nav>
  `;
}

const show = (study) => state.set({ study, expect: null, metric: "", curve: "" }, true);

function Study({ study, expect }) {
  const shown = expect !== null;
  return html`
    <article>
      <p class="kicker">Study “${study.name}”</p>
      <h2 class="question">${study.question}</h2>
      <${Expect} study=${study} expect=${expect} />
      ${shown && html`<${Answer} study=${study} expect=${expect} />`}
    </article>
  `;
}

function Expect({ study, expect }) {
  const choose = (place) => {
    state.set({ expect: place });
    announce("What was measured is shown below");
  };
  const words = (place) =>
    [expect === place ? "chosen" : "", expect !== null && study.found === place ? "measured" : ""].join(" ").trim();
  return html`
    <section class="expect" aria-labelledby="expect-title">
      <h3 id="expect-title">What do you expect?</h3>
      <p>${study.asked}</p>
      <div class="places" role="group" aria-label="What you expect">
        ${study.expectations.map(
          (text, place) => html`<button key=${place} type="button" class=${words(place)} aria-pressed=${expect === place}
            onClick=${() => choose(place)}>${text}${expect !== null && study.found === place ? html` <small>measured</small>` : ""}</button>`,
        )}
      </div>
      ${expect === null && html`<button type="button" class="quiet" onClick=${() => choose(-1)}>Show it without a guess</button>`}
    </section>
  `;
}

function Answer({ study, expect }) {
  const metric = state.get("metric") || study.estimands[0].metric;
  const { verdict, found } = study;
  const guess =
    expect < 0 ? "" : found === null ? "No single one of the answers is certain." : expect === found ? "You expected what was measured." : "It came out otherwise than you expected.";
  const measured = study.metrics.filter((one) => study.arms.some((arm) => arm.values[one.name]));
  const chosen = measured.find((one) => one.name === metric) ?? measured[0];
  const rows = useMemo(() => contrasts(study), [study]);
  return html`
    <section class=${`finding ${verdict.word}`} aria-labelledby="verdict-title">
      <h3 id="verdict-title">${capital(verdict.label)}</h3>
      ${guess && html`<p class="guess">${guess}</p>`}
      <p>${verdict.sentence}</p>
      <p class="note">The claim, declared beforehand: ${study.claim}.</p>
    </section>
    <section aria-labelledby="contrasts-title">
      <h3 id="contrasts-title">The answers, with their intervals</h3>
      ${rows.map(({ unit, all }) => html`<${Intervals} key=${unit} title=${`All that was asked, in ${unit || "numbers"}`} unit=${unit} rows=${all} zero=${all.some((one) => one.signed)} />`)}
      <p class="note">Each bar is a 95 % interval over seeds; the shaded part is where the claim would be true. Bold: the primary question.</p>
    </section>
    <section aria-labelledby="arms-title">
      <div class="title">
        <h3 id="arms-title">Every arm</h3>
        <label><span class="unseen">Metric</span><select value=${chosen.name} onChange=${(event) => state.set({ metric: event.target.value })}>
          ${measured.map((one) => html`<option key=${one.name} value=${one.name}>${one.label}</option>`)}
        </select></label>
      </div>
      <p class="drawn">${capital(chosen.label)}</p>
      <${Intervals} title=${chosen.label} unit=${chosen.unit} rows=${armRows(study, chosen.name)} />
      <p class="note">Small dots: single seeds. ${study.varies}</p>
    </section>
    <${Exact} study=${study} metric=${chosen} />
    <${Curves} study=${study} />
    <section aria-labelledby="why-title" class="background">
      <h3 id="why-title">What was predicted, and why</h3>
      <p>${study.prediction} ${study.why}</p>
      <h3>What was kept equal</h3>
      <ul>${study.controls.map((one) => html`<li key=${one}>${one}</li>`)}</ul>
      ${study.sources.length > 0 && html`<h3>Sources</h3><ul>${study.sources.map((one) => html`<li key=${one}>${one}</li>`)}</ul>`}
    </section>
    <section aria-labelledby="command-title">
      <h3 id="command-title">Measure it yourself</h3>
      <pre tabindex="0"><code>${study.command}</code></pre>
      <p class="note">Stored with convlens, measured on ${study.measured}, profile “${study.profile}”. As a page: convlens study show ${study.name}</p>
    </section>
  `;
}

const capital = (words) => `${words[0].toUpperCase()}${words.slice(1)}`;

/** The contrasts by unit, the primary one first. */
function contrasts(study) {
  const units = [...new Set(study.estimands.map((one) => one.unit))];
  return units.map((unit) => ({
    unit,
    all: study.estimands
      .filter((one) => one.unit === unit && one.mean !== null)
      .map((one) => ({ ...one, label: one.what, strong: one === study.estimands[0], mark: one.verdict })),
  }));
}

const armRows = (study, metric) =>
  study.arms
    .filter((arm) => arm.values[metric])
    .map((arm) => ({ label: arm.name, ...arm.values[metric], dots: Object.values(arm.values[metric].seeds) }));

function Exact({ study, metric }) {
  return html`
    <details>
      <summary>The exact values as tables</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="All that was asked">
        <table>
          <thead><tr><th scope="col">what was asked</th><th scope="col">measured</th><th scope="col">claim</th><th scope="col">verdict</th></tr></thead>
          <tbody>${study.estimands.map((one) => html`<tr key=${one.name}><th scope="row">${one.what} (${one.role})</th><td>${one.text}</td>
            <td>${one.claim}</td><td>${one.verdict}</td></tr>`)}</tbody>
        </table>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label=${metric.label}>
        <table>
          <thead><tr><th scope="col">arm</th><th scope="col">${metric.label}</th><th scope="col">seeds</th></tr></thead>
          <tbody>${armRows(study, metric.name).map((one) => html`<tr key=${one.label}><th scope="row">${one.label}</th><td>${one.text}</td>
            <td>${Object.entries(one.seeds).map(([seed, value]) => `${seed}: ${value === null ? "–" : +value.toPrecision(6)}`).join(", ")}</td></tr>`)}</tbody>
        </table>
      </div>
    </details>
  `;
}
