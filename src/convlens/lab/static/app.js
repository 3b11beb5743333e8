/** The shell of the page: its rooms, the theme, the link to the present view, files dropped on it, and errors in words. */

import { announce } from "./announce.js";
import { isPicture, showPicture } from "./draw/picture.js";
import { showExample } from "./fields.js";
import { addFile, catalogue, start } from "./library.js";
import * as state from "./state.js";
import { html, render, useEffect, useErrorBoundary, useLayoutEffect, useRef, useState } from "./view.js";

/**
 * The rooms, in the order of the navigation. Each is loaded when it is first opened, and exports `Room`, a component, and
 * `opened`, which is told the name of a model whose file was dropped on the page.
 */
const ROOMS = [
  { name: "draw", title: "Draw", load: () => import("./draw/room.js") },
  { name: "inside", title: "Inside", load: () => import("./inside/room.js") },
  { name: "train", title: "Train", load: () => import("./train/room.js") },
  { name: "studies", title: "Studies", load: () => import("./studies/room.js") },
];
const NAMELESS = "image.png"; // what browsers call a picture that was copied, and is no file
const THEMES = ["auto", "light", "dark"];

const roomOf = (name) => ROOMS.find((one) => one.name === name) ?? ROOMS[0];

function App() {
  const name = state.useValue(() => state.get("room"));
  const isEmpty = state.useValue(() => state.get("drawing") === null);
  const [module, setModule] = useState(null);
  const [problem, setProblem] = useState("");
  const [notice, setNotice] = useState("");
  const room = roomOf(name);
  useEffect(() => {
    if (isEmpty) showExample();
  }, [isEmpty]);
  useEffect(() => {
    document.title = `${room.title} – convlens lab`;
    room.load().then(
      (found) => setModule({ room, ...found }),
      (error) => setProblem(`the room ${room.title} cannot be loaded (${error.message}); reload the page`),
    );
  }, [room]);
  const open = async (file) => {
    setProblem("");
    setNotice("");
    try {
      if (isPicture(file)) {
        setNotice(await showPicture(file));
        return;
      }
      const name = await addFile(file);
      module.opened(name);
      announce(`${file.name} is open`);
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  usePasted(open);
  return html`
    <${Header} room=${room} />
    <${DropZone} open=${open}>
      ${problem && html`<${Problem} text=${problem} close=${() => setProblem("")} />`}
      <div role="status">${notice && html`<${Notice} text=${notice} close=${() => setNotice("")} />`}</div>
      ${module?.room === room ? html`<${Safe} key=${room.name} Room=${module.Room} open=${open} />` : html`<p class="loading">Loading…</p>`}
    <//>
    <p id="announced" class="unseen" role="status" aria-live="polite"></p>
  `;
}

/** A picture, or a model's file, that is pasted from the clipboard is opened as one that is dropped. */
function usePasted(open) {
  const latest = useRef(open);
  latest.current = open;
  useEffect(() => {
    const paste = ({ clipboardData }) => {
      const [file] = clipboardData?.files ?? [];
      if (!file) return;
      const named = file.name === NAMELESS ? new File([file], "The pasted picture", { type: file.type }) : file;
      latest.current(named);
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, []);
}

/** A room, or in its place what went wrong in it. */
function Safe({ Room, open }) {
  const [error, again] = useErrorBoundary((one) => console.error(one));
  if (!error) return html`<${Room} open=${open} />`;
  return html`<${Problem} text=${sentence(error)} close=${again} />`;
}

function Header({ room }) {
  const [copied, setCopied] = useState("");
  const copy = async () => {
    const link = state.link();
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(link);
      setCopied("Copied");
    } catch {
      setCopied("It is in the address bar"); // where the browser does not let a page copy
    }
    setTimeout(() => setCopied(""), 2500);
  };
  return html`
    <a class="skip" href="#main" onClick=${skip}>To the content</a>
    <header>
      <p class="wordmark"><img src="icon.svg" alt="" width="26" height="26" />convlens <span>lab</span></p>
      <nav aria-label="Rooms">
        ${ROOMS.map(
          (one) => html`
            <a
              key=${one.name}
              href=${`#room=${one.name}`}
              aria-current=${one === room ? "page" : null}
              onClick=${(event) => go(event, one.name)}
              >${one.title}</a
            >
          `,
        )}
      </nav>
      <div class="tools">
        <button type="button" onClick=${copy}>${copied || "Copy link"}</button>
        <${Theme} />
      </div>
      <span class="unseen" role="status">${copied}</span>
    </header>
  `;
}

function go(event, room) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab or window
  event.preventDefault();
  if (room !== state.get("room")) state.set({ room }, true);
}

function skip(event) {
  event.preventDefault(); // the address is the state
  document.getElementById("main").focus();
}

function Theme() {
  const [theme, setTheme] = useState(() => {
    const kept = remembered();
    return THEMES.includes(kept) ? kept : "auto";
  });
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
    remember(theme);
  }, [theme]);
  return html`
    <label class="theme">
      <span class="unseen">Colours of the page</span>
      <select value=${theme} onChange=${(event) => setTheme(event.target.value)}>
        <option value="auto">Auto</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  `;
}

function remembered() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null; // a browser that keeps nothing
  }
}

function remember(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // not kept, then
  }
}

/** The content of the page, on which a file can be dropped. */
function DropZone({ open, children }) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const enter = (step) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    depth.current += step;
    setOver(depth.current > 0);
  };
  const drop = (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    open(event.dataTransfer.files[0]);
  };
  return html`
    <main
      id="main"
      tabindex="-1"
      class=${over ? "over" : ""}
      onDragEnter=${enter(1)}
      onDragLeave=${enter(-1)}
      onDragOver=${(event) => event.preventDefault()}
      onDrop=${drop}
    >
      ${children}
      ${over && html`<p class="drop">Let go to open the model or the picture</p>`}
    </main>
  `;
}

function Problem({ text, close }) {
  return html`
    <div class="problem" role="alert">
      <p>${text}</p>
      <button type="button" onClick=${close}>Close</button>
    </div>
  `;
}

/** What was done with a file. */
function Notice({ text, close }) {
  return html`
    <div class="notice">
      <p>${text}</p>
      <button type="button" onClick=${close}>Close</button>
    </div>
  `;
}

/** What went wrong, as a sentence. */
function sentence(error) {
  if (error?.name === "ConvlensError") return error.message;
  return `something went wrong that should not have (${error?.message ?? error}); nothing is lost`;
}

const root = document.getElementById("app");
roomOf(state.get("room")).load().catch(() => {}); // meanwhile; where it fails, the page says so when it is opened
try {
  await start();
  root.replaceChildren();
  render(html`<${App} />`, root);
} catch (error) {
  render(html`<main><p class="problem" role="alert">${sentence(error)}</p></main>`, root);
}
document.documentElement.dataset.version = catalogue.version;
