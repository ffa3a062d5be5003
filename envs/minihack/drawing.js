// NetHack's terminal: the part of the map that is used, as large as fits, with its own colours.

import { h } from "../dom.js";

const MAP = [1, 22]; // rows of the map; above it the message, below it the status

export function mount(element, replay) {
  const box = used(replay.steps);
  const message = h("p", { class: "message", role: "status" });
  const map = h("pre", { class: "map", style: { "--columns": String(box.right - box.left) } });
  const status = h("pre", { class: "status" });
  const root = h("div", { class: "terminal-screen" }, message, map, status);
  element.append(root);

  function render(step) {
    const { frame } = replay.steps[step];
    message.textContent = frame.message || " ";
    const lines = [];
    for (let row = box.top; row < box.bottom; row++) lines.push(line(frame, row, box.left, box.right), "\n");
    map.replaceChildren(...lines.flat());
    status.textContent = frame.rows.slice(MAP[1]).map((row) => row.trimEnd()).join("\n");
    map.setAttribute("aria-label", `Step ${frame.step} of at most ${frame.limit}. ${frame.message}`);
  }

  return { render, unmount: () => root.remove() };
}

/** A row's characters as text, one element a run of a colour. */
function line(frame, row, left, right) {
  const text = frame.rows[row];
  const colours = frame.colors[row];
  const [cursorRow, cursorColumn] = frame.cursor;
  const runs = [];
  let start = left;
  for (let at = left; at < right; at++) {
    const here = row === cursorRow && at === cursorColumn;
    const next = row === cursorRow && at + 1 === cursorColumn;
    if (at + 1 < right && !here && !next && colours[at + 1] === colours[start]) continue;
    const kind = here ? "cursor" : `colour-${colours[start]}`;
    runs.push(h("span", { class: kind }, text.slice(start, at + 1)));
    start = at + 1;
  }
  return runs;
}

/** The rows and columns of the map that any step uses. */
function used(steps) {
  let [top, bottom, left, right] = [MAP[1], MAP[0], 80, 0];
  for (const { frame } of steps) {
    for (let row = MAP[0]; row < MAP[1]; row++) {
      const text = frame.rows[row];
      const first = text.search(/[^ \0]/);
      if (first < 0) continue;
      top = Math.min(top, row);
      bottom = Math.max(bottom, row + 1);
      left = Math.min(left, first);
      right = Math.max(right, text.trimEnd().length);
    }
  }
  if (top >= bottom) return { top: MAP[0], bottom: MAP[1], left: 0, right: 80 };
  return { top, bottom, left: Math.max(0, left - 1), right: Math.min(80, right + 1) };
}
