// The heap as a row of stones, and a button for each number of them.

import { h } from "../dom.js";

export const unit = "wins";

export function mount(element, replay) {
  const heap = h("p", { class: "nim", role: "img" });
  element.append(heap);

  function render(step) {
    const { stones } = replay.steps[step].frame;
    heap.textContent = "●".repeat(stones) || "nothing is left";
    heap.setAttribute("aria-label", `${stones} stones`);
  }

  return { render, unmount: () => heap.remove() };
}

export function controls(turn, frame, decide) {
  return turn.legal.map(({ action }) => h("button", { type: "button", onclick: () => decide(action) }, "●".repeat(action + 1)));
}
