/** How to train: data, recipe and all that is in one, seeds, and when to stop. */

import { html } from "../view.js";
import { grouped, shapeText } from "../words.js";
import { Pictures } from "./picture.js";
import { MOST_SEEDS, change, plan } from "./plan.js";
import { Chosen, Field, Setting, Typed } from "./setting.js";

export function RecipeForm({ choices, composition, refused, problem }) {
  const { base, changes, seeds, seed, title, stop } = plan();
  const recipe = Object.hasOwn(choices.recipes, base) ? choices.recipes[base] : choices.recipes.good;
  const parts = { optimizer: choices.optimizers, schedule: choices.schedules };
  const part = (name) => partOf(name, recipe[name], changes[name], parts[name]);
  const [optimizer, schedule] = [part("optimizer"), part("schedule")];
  const augmentation = partOf("augmentation", recipe.augmentation, changes.augmentation, { undefined: choices.augmentation });
  const moves = augmentation.settings.filter(({ name }) => name !== "smoothness" && augmentation.value(name)).map(({ name }) => `${name} ${augmentation.value(name)}`);
  const own = (name, label) => html`<${Own} key=${name} name=${name} label=${label} usual=${recipe[name]} />`;
  const limit = (name, value) => change({ stop: without({ ...stop, [name]: value }) });
  return html`
    <${DataForm} choices=${choices} composition=${composition} refused=${refused} />
    <div class="settings">
      <${Chosen} label="recipe" value=${base} options=${Object.keys(choices.recipes)}
        put=${(name) => change({ base: name, changes: { epochs: changes.epochs ?? 1 } })} />
      <${Chosen} label="optimiser" value=${optimizer.kind} options=${Object.keys(choices.optimizers)} put=${(name) => optimizer.choose({ name })} />
      <${Chosen} label="schedule" value=${schedule.kind} options=${Object.keys(choices.schedules)}
        put=${(name) => schedule.choose({ name, rate: schedule.value("rate") })} />
      <${Typed} label="learning rate" value=${schedule.value("rate")} put=${(rate) => schedule.put("rate", rate)} />
      ${own("epochs")} ${own("batch_size")}
      <label><span>seeds</span><${Field} type="number" min="1" max=${MOST_SEEDS} value=${seeds}
        put=${(text) => change({ seeds: Math.max(1, Math.min(MOST_SEEDS, Math.round(text) || 1)) })} /></label>
      <label><span>${seeds > 1 ? "first seed" : "seed"}</span><${Field} type="number" min="0" value=${seed}
        put=${(text) => change({ seed: Math.max(0, Math.round(text) || 0) })} /></label>
    </div>
    ${problem && html`<p class="wrong" role="alert">${problem}</p>`}
    <details class="rare">
      <summary>Augmentation: ${moves.length ? moves.join(", ") : "none"}</summary>
      <p class="note">Each training image is moved a little whenever it is shown, by at most this much: pixels, degrees, shares.</p>
      <div class="settings">${augmentation.fields()}</div>
      ${composition?.moved && html`<${Moved} images=${composition.moved} />`}
    </details>
    <details class="rare">
      <summary>More of optimiser, schedule and recipe</summary>
      <div class="settings">${optimizer.fields()} ${schedule.fields(["rate"])} ${["label_smoothing", "clip_norm", "ema_decay", "patience"].map((name) => own(name))}</div>
    </details>
    <details class="rare">
      <summary>Name, and when to stop early</summary>
      <div class="settings">
        <label class="long"><span>name</span><${Field} maxlength="60" value=${title} put=${(text) => change({ title: text })} /></label>
        <${Typed} label="validation, in %" value=${typeof stop.accuracy === "number" ? +(100 * stop.accuracy).toFixed(6) : stop.accuracy}
          put=${(value) => limit("accuracy", typeof value === "number" ? value / 100 : value)} />
        <${Typed} label="steps" value=${stop.steps} put=${(value) => limit("steps", value)} />
        <${Typed} label="minutes" value=${stop.minutes} put=${(value) => limit("minutes", value)} />
      </div>
    </details>
  `;
}

/** What augmentation does, seen. */
function Moved({ images }) {
  const labels = Array.from({ length: images.count }, (_, i) => `training image ${i}, moved`);
  return html`<div class="moved"><p class="note">The first training images, as a step may show them:</p><${Pictures} images=${images} labels=${labels} /></div>`;
}

function DataForm({ choices, composition, refused }) {
  const { data, reading, share } = plan();
  const about = !refused && composition?.data;
  return html`
    <div class="settings wide">
      <label><span>data set, or the path of your own</span>
        <${Field} list="data-sets" value=${data} aria-invalid=${Boolean(refused)} put=${(text) => change({ data: text.trim() || "mnist" })} />
        <datalist id="data-sets">${choices.data.map((name) => html`<option key=${name} value=${name} />`)}</datalist>
      </label>
      ${refused && html`<p class="wrong" role="alert">${refused}</p>`}
      ${!choices.data.includes(data) && html`<${Reading} reading=${reading} open=${/resize|skip_broken/.test(refused)} />`}
      ${about && html`<p class="note">${shapeText(about.shape)}, ${about.classes.length} classes; ${grouped(about.train)} images to train on, ${grouped(about.validation)} for validation</p>`}
      ${about && about.notes.map((note) => html`<p key=${note} class="note">${note}</p>`)}
      <label><span>share of the training images${about ? `: ${grouped(Math.round(share * about.train))}` : ""}</span>
        <span class="slider"><input type="range" min="1" max="100" value=${Math.round(100 * share)}
          onInput=${(event) => change({ share: Number(event.target.value) / 100 })} />
        <output>${Math.round(100 * share)} %</output></span>
      </label>
    </div>
  `;
}

/** How a folder of images is read. */
function Reading({ reading, open }) {
  const put = (name) => (value) => change({ reading: without({ ...reading, [name]: value || null }) });
  return html`<details class="rare" open=${open || Object.keys(reading).length > 0}>
    <summary>Of a folder of images</summary>
    <div class="settings">
      <${Typed} label="resize, in pixels" value=${reading.resize} put=${put("resize")} />
      <${Setting} setting=${{ name: "skip_broken", kind: "switch" }} value=${reading.skip_broken} put=${put("skip_broken")} />
    </div>
  </details>`;
}

/** A setting of the recipe itself. */
function Own({ name, label = name.replaceAll("_", " "), usual }) {
  const { changes } = plan();
  const value = Object.hasOwn(changes, name) ? changes[name] : usual;
  const put = (given) => {
    const { [name]: _, ...others } = changes;
    const off = given === null && OFF.has(name) ? "none" : given;
    change({ changes: given === usual || off === null ? others : { ...others, [name]: off } });
  };
  return html`<${Typed} label=${label} value=${value === "none" ? null : value} put=${put} />`;
}

/** What a recipe can be without. */
const OFF = new Set(["clip_norm", "ema_decay", "patience"]);

/** Optimiser, schedule or augmentation: its class by name, where there are several, and its settings. */
function partOf(name, usual, changed, kinds) {
  const given = changed && typeof changed === "object" ? changed : {};
  const kind = given.name ?? usual?.name;
  const settings = Object.hasOwn(kinds, kind) ? kinds[kind] : [];
  const same = kind === usual?.name;
  const before = (setting) => (same ? usual?.[setting] : undefined) ?? settings.find((one) => one.name === setting)?.default;
  const value = (setting) => given[setting] ?? before(setting);
  const choose = (wanted) => {
    const needed = Object.entries(wanted).filter(([key, one]) => (key === "name" ? one !== usual?.name : one !== null));
    const { [name]: _, ...others } = plan().changes;
    change({ changes: needed.length ? { ...others, [name]: Object.fromEntries(needed) } : others });
  };
  const put = (setting, wanted) => {
    const { [setting]: _, ...others } = given;
    choose(JSON.stringify(wanted) === JSON.stringify(before(setting)) ? others : { ...others, [setting]: wanted });
  };
  const fields = (but = []) =>
    settings.filter((one) => !but.includes(one.name)).map((one) => html`<${Setting} key=${`${name} ${one.name}`} setting=${one} value=${value(one.name)} put=${(wanted) => put(one.name, wanted)} />`);
  return { kind, settings, value, choose, put, fields };
}

const without = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
