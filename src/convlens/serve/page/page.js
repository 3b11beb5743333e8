// The page of `convlens serve`: it sends a picture to /invocations, as any client would, and shows the answer.

const MOST_BARS = 10;
const PEN = 20; // pixels of the canvas

const at = (id) => document.getElementById(id);
const canvas = at("drawing");
const pen = canvas.getContext("2d");
let empty = true;
let asked = 0; // number of the last request: answers that come late are not shown

function clear() {
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  empty = true;
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
}

function line(from, to) {
  Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "black" });
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
  empty = false;
}

function say(text) {
  at("class").textContent = text;
  for (const id of ["bars", "done", "doubts", "time"]) at(id).replaceChildren();
}

function item(text) {
  const li = document.createElement("li");
  li.textContent = text;
  return li;
}

function bar([name, share]) {
  const [li, label, meter, number] = ["li", "span", "meter", "span"].map((tag) => document.createElement(tag));
  label.textContent = name;
  Object.assign(meter, { min: 0, max: 1, value: share });
  meter.setAttribute("aria-label", `probability of ${name}`);
  number.textContent = `${(100 * share).toFixed(1)} %`;
  li.append(label, meter, number);
  return li;
}

function show(answer, milliseconds) {
  const [best] = answer.predictions;
  const strong = document.createElement("strong");
  strong.textContent = best.class;
  at("class").replaceChildren(strong, `with ${(100 * best.probability).toFixed(1)} %${best.unsure ? ", but unsure" : ""}`);
  const shares = Object.entries(best.probabilities).sort((one, other) => other[1] - one[1]);
  at("bars").replaceChildren(...shares.slice(0, MOST_BARS).map(bar));
  at("done").replaceChildren(...best.done.map(item));
  at("doubts").replaceChildren(...best.doubts.map(item));
  at("time").textContent = `${answer.model}, ${milliseconds.toFixed(0)} ms there and back`;
}

async function send(picture) {
  const mine = ++asked;
  const began = performance.now();
  try {
    const response = await fetch("/invocations", {
      method: "POST",
      headers: {
        "Content-Type": picture.type || "application/octet-stream",
        Accept: "application/json",
        "X-Amzn-SageMaker-Target-Model": at("model").value,
      },
      body: picture,
    });
    const answer = await response.json();
    if (mine !== asked) return;
    if (response.ok) show(answer, performance.now() - began);
    else say(answer.error);
  } catch (error) {
    if (mine === asked) say(`The server cannot be reached (${error.message}).`);
  }
}

const sendDrawing = () => empty || canvas.toBlob(send, "image/png");

function sendFile(file) {
  if (!file) return;
  const picture = new Image();
  picture.onload = () => {
    clear();
    const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    pen.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    URL.revokeObjectURL(picture.src);
  };
  picture.src = URL.createObjectURL(file);
  send(file);
}

function calls(model, shape) {
  const [height, width, channels] = shape;
  const sizes = channels === 1 ? `${height}, ${width}` : `${height}, ${width}, ${channels}`;
  const here = location.origin;
  at("calls").textContent = [
    "# a picture of any size",
    `curl ${here}/invocations --data-binary @seven.png -H 'Content-Type: image/png'`,
    "",
    `# an array of ${height} x ${width} pixels, and the answer in CSV`,
    `python3 -c "import numpy; numpy.save('image.npy', numpy.zeros((${sizes}), 'uint8'))"`,
    `curl ${here}/invocations --data-binary @image.npy \\`,
    "  -H 'Content-Type: application/x-npy' -H 'Accept: text/csv'",
    "",
    "# by the Open Inference Protocol",
    `curl ${here}/v2/models/${model}`,
  ].join("\n");
}

async function choose() {
  const name = at("model").value;
  const metadata = await (await fetch(`/v2/models/${encodeURIComponent(name)}`)).json();
  calls(encodeURIComponent(name), metadata.inputs[0].shape.slice(1));
  at("metadata").href = `/v2/models/${encodeURIComponent(name)}`;
  sendDrawing();
}

async function start() {
  const { models } = await (await fetch("/models")).json();
  at("model").replaceChildren(...models.map(({ modelName }) => new Option(modelName, modelName)));
  const ready = (await fetch("/v2/health/ready")).ok;
  at("state").textContent = ready ? "ready" : "not ready yet: the models are still being loaded";
  if (!ready) setTimeout(start, 500);
  else await choose();
}

let last = null;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  last = place(event);
  line(last, last);
});
canvas.addEventListener("pointermove", (event) => {
  if (!last) return;
  const next = place(event);
  line(last, next);
  last = next;
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, () => {
    last = null;
    sendDrawing();
  });
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  sendFile(event.dataTransfer.files[0]);
});
at("clear").addEventListener("click", () => {
  clear();
  asked++;
  say("Draw a digit: the answer follows each stroke.");
});
at("file").addEventListener("change", (event) => sendFile(event.target.files[0]));
at("model").addEventListener("change", choose);

clear();
start().catch((error) => (at("state").textContent = `the server cannot be reached (${error.message})`));
