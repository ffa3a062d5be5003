// Any game: what the deciding seat sees in words, the environment's own picture, the frame's values.

import { h } from "../dom.js";

export function mount(element, replay) {
  const root = h("div", { class: "generic" });
  element.append(root);

  function render(step) {
    const { frame, decisions } = replay.steps[step];
    const { render: picture, ...values } = frame;
    const parts = [];
    if (typeof picture === "string" && picture) parts.push(h("pre", { class: "terminal" }, plain(picture)));
    const text = decisions[0]?.text;
    if (text) parts.push(h("pre", {}, text));
    parts.push(h("dl", {}, Object.entries(values).map(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, words(value))])));
    root.replaceChildren(...parts);
  }

  return { render, unmount: () => root.remove() };
}

/** A terminal picture without its colours. */
function plain(text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "");
}

function words(value) {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
  return JSON.stringify(value, (_, v) => (typeof v === "number" && !Number.isInteger(v) ? Number(v.toPrecision(5)) : v));
}
