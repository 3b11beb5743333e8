/** What a screen reader is told: the last of several sentences in short order, once they have come to rest. */

const WAIT = 700; // ms
let timer = 0;

/** @param {string} sentence */
export function announce(sentence) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const region = document.getElementById("announced");
    if (region && region.textContent !== sentence) region.textContent = sentence;
  }, WAIT);
}
