// The line between two layers: dragged, or moved with the arrow keys.
import { byId } from "/page/dom.js";

const line = byId("swipe");
const stage = byId("stage");
let share = 50;

function place(percent) {
  share = Math.min(100, Math.max(0, percent));
  line.style.left = `${share}%`;
  line.setAttribute("aria-valuenow", Math.round(share));
  byId("before").style.clipPath = `inset(0 ${100 - share}% 0 0)`;
}

line.addEventListener("pointerdown", (event) => line.setPointerCapture(event.pointerId));
line.addEventListener("pointermove", (event) => {
  if (!line.hasPointerCapture(event.pointerId)) return;
  const { left, width } = stage.getBoundingClientRect();
  place((100 * (event.clientX - left)) / width);
});
line.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageUp: 10, PageDown: -10, Home: -100, End: 100 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  place(share + step);
});

export function swipe(left, right) {
  line.hidden = !left;
  for (const [id, text] of [["swipe-left", left], ["swipe-right", right]]) {
    byId(id).hidden = !left;
    byId(id).textContent = text ?? "";
  }
  place(left ? share : 50);
}
