// The decision pane: who chose what among which legal actions, how sure, and what it thought.

import { h } from "./dom.js";
import { milliseconds, percent } from "./format.js";

/** The pane for one step's decisions. */
export function decisionPane(replay, step) {
  const { decisions } = replay.steps[step];
  if (step < replay.steps.length - 1 && !decisions.length) return [h("p", { class: "muted" }, "What the others decide is not for this seat to see.")];
  if (!decisions.length) return [h("h2", {}, replay.unit ? `Won and lost, ${replay.unit}` : "Returns"), outcome(replay)];
  return decisions.map((decision) => one(replay, decision));
}

function one(replay, decision) {
  const name = replay.seats[decision.seat].name;
  const time = decision.ms === undefined ? "" : milliseconds(decision.ms);
  return h(
    "div",
    {},
    h("div", { class: "section-head" }, h("h2", {}, name), time && h("p", { title: "the agent's time for this decision" }, time)),
    h("p", { class: decision.label.length > 60 ? "choice long" : "choice" }, decision.label),
    decision.legal && legal(decision.legal),
    decision.notes && notes(decision.notes),
    decision.text && seen(decision.text),
  );
}

function legal(options) {
  const known = options.some((option) => option.probability !== undefined);
  return h(
    "ul",
    { class: "legal", "aria-label": known ? "Legal actions and the agent's probabilities" : "Legal actions" },
    options.map((option) =>
      h(
        "li",
        { class: option.chosen && "chosen" },
        known && h("span", { class: "bar", style: { "--share": String(option.probability) } }),
        h("span", { class: "name" }, option.label, option.chosen && h("span", { class: "visually-hidden" }, " (chosen)")),
        h("span", { class: "share" }, known ? percent(option.probability, option.probability % 1 ? 1 : 0) : ""),
      ),
    ),
  );
}

function seen(text) {
  return h("details", { class: "text notes" }, h("summary", {}, "What the seat sees, in words"), h("pre", {}, text));
}

const LONG = 60;

function notes(values) {
  const entries = Object.entries(values);
  const long = entries.filter(([, value]) => isLong(value));
  const short = entries.filter(([, value]) => !isLong(value));
  return h(
    "div",
    { class: "notes" },
    h("h3", {}, "Notes"),
    short.length > 0 && h("dl", {}, short.map(([name, value]) => [h("dt", {}, words(name)), h("dd", {}, short_(value))])),
    long.map(([name, value]) =>
      h("details", { open: !/prompt|messages|observation/.test(name) }, h("summary", {}, words(name)), block(value)),
    ),
  );
}

function isLong(value) {
  if (typeof value === "string") return value.length > LONG || value.includes("\n");
  return value !== null && typeof value === "object";
}

// A language model's messages are shown one below the other, other structures as JSON.
function block(value) {
  if (typeof value === "string") return h("pre", {}, value);
  const messages = Array.isArray(value) && value.length > 0 && value.every((v) => v && typeof v.content === "string");
  if (messages) return value.map((message) => [h("h3", {}, String(message.role ?? "")), h("pre", {}, message.content)]);
  return h("pre", {}, JSON.stringify(value, null, 2));
}

function words(name) {
  return name.replaceAll("_", " ");
}

function short_(value) {
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(5)));
  return String(value);
}

/** What each seat came away with. */
export function outcome(replay) {
  return h(
    "div",
    { class: "outcome" },
    replay.seats.map((who, seat) => {
      const value = replay.returns[seat];
      const status = replay.statuses[seat];
      const text = `${value > 0 ? "+" : value < 0 ? "−" : ""}${Number(Math.abs(value).toPrecision(6))}`;
      return h(
        "div",
        {},
        h("span", { title: who.name }, who.name),
        h("span", {}, status !== "done" && h("span", { class: "badge bad" }, status), " ", h("b", { class: value > 0 ? "gain" : value < 0 ? "loss" : "" }, text)),
      );
    }),
  );
}
