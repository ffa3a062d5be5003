// Who beats whom: a table of colours whose cells lead to the pair's matches.

import { empty, h, section, segments } from "./dom.js";
import { amount, digitsFor, fixed, half, percent } from "./format.js";

const MEASURES = [
  ["payoff", "Payoff"],
  ["win_rate", "Win rate"],
  ["stronger", "Stronger"],
];

export class Heat {
  /** `choose(a, b)` is called with two agents' keys, or nulls, when a cell is clicked. */
  constructor(names, choose) {
    this.names = names;
    this.choose = choose;
    this.measure = "payoff";
    this.pressed = null;
    this.data = null;
    this.place = h("div");
    this.text = h("p", { class: "small muted" });
    const measures = segments("Measure", MEASURES, this.measure, (measure) => {
      this.measure = measure;
      this.draw();
    });
    this.element = section("Head to head", measures, this.place, this.text);
  }

  show(data) {
    this.data = data;
    this.draw();
  }

  draw() {
    const { data } = this;
    if (!data) return;
    if (data.standings.length < 2) {
      this.place.replaceChildren(empty("Nobody to compare yet.", "The table fills as soon as two agents have met."));
      return;
    }
    const agents = data.standings.map((row) => row.agent);
    const numbers = data.standings.map((row) => row.rank);
    const heads = agents.map((key, i) => h("th", { scope: "col", title: this.names[key], "aria-label": this.names[key] }, String(numbers[i])));
    const rows = agents.map((key, i) =>
      h(
        "tr",
        {},
        h("th", { scope: "row", title: this.names[key] }, h("i", {}, String(numbers[i])), this.names[key]),
        agents.map((other, j) => this.cell(agents, i, j)),
      ),
    );
    this.place.replaceChildren(
      h(
        "div",
        { class: "scroll", tabindex: 0 },
        h("table", { class: "heat" }, h("thead", {}, h("tr", {}, h("th", { class: "corner" }, h("span", { class: "visually-hidden" }, "row against column")), heads)), h("tbody", {}, rows)),
      ),
    );
    const payoff = data.payoff_is === "return" ? "What row earns against column" : "Row's return less column's on the same deals";
    this.text.replaceChildren(
      {
        payoff: `${payoff}, ${data.unit}.`,
        win_rate: data.session > 1 ? `The chance, in per cent, that row is ahead of column after a session of ${data.session} deals.` : "How often row finishes a deal ahead of column, in per cent, ties half.",
        stronger: "The probability that row is the stronger of the two.",
      }[this.measure] + " Pale numbers could be even. Click a cell for the pair's matches.",
    );
  }

  cell(agents, i, j) {
    if (i === j) return h("td", { class: "self" });
    const { value, text, title, depth, clear } = this.reading(i, j);
    if (value === null) return h("td", {}, h("button", { type: "button", disabled: true, "aria-label": "never met" }, "–"));
    const pair = `${agents[i]} ${agents[j]}`;
    const names = `${this.names[agents[i]]} against ${this.names[agents[j]]}`;
    const press = () => {
      this.pressed = this.pressed === pair ? null : pair;
      this.draw();
      this.choose(...(this.pressed ? [agents[i], agents[j]] : [null, null]));
    };
    return h(
      "td",
      {},
      h(
        "button",
        {
          type: "button",
          class: !clear && "unclear",
          "aria-pressed": String(this.pressed === pair),
          title: `${names}: ${title}`,
          "aria-label": `${names}: ${title}`,
          style: { "--tone": depth >= 0 ? "var(--win)" : "var(--loss)", "--depth": String(Math.round(Math.abs(depth) * 62)) },
          onclick: press,
        },
        text,
      ),
    );
  }

  reading(i, j) {
    const { data, measure } = this;
    if (measure === "stronger") {
      const value = data.stronger[i][j];
      if (value === null) return { value };
      const text = value > 0.99 ? "> .99" : value < 0.01 ? "< .01" : fixed(value, 2);
      return { value, text, title: text, depth: 2 * value - 1, clear: value > 0.975 || value < 0.025 };
    }
    const matrix = data[measure];
    const estimate = { value: matrix.value[i][j], low: matrix.low[i][j], high: matrix.high[i][j] };
    const { value, low, high } = estimate;
    if (value === null) return { value };
    if (measure === "win_rate") {
      const clear = low !== null && (low > 0.5 || high < 0.5);
      const title = `${percent(value)} ${half(estimate, 100, 1)}`;
      return { value, text: fixed(100 * value), title, depth: 2 * value - 1, clear };
    }
    const largest = Math.max(...data.payoff.value.flat().map((x) => Math.abs(x ?? 0)), 1e-12);
    const depth = Math.sign(value) * Math.sqrt(Math.abs(value) / largest);
    const clear = low !== null && (low > 0 || high < 0);
    const digits = digitsFor(largest);
    return { value, text: short(value, digits), title: `${amount(value)} ${half(estimate)} ${data.unit}`, depth, clear };
  }
}

function short(value, digits) {
  const sign = value > 0 ? "+" : value < 0 ? "−" : "";
  const size = Math.abs(value);
  if (size >= 999.5) return `${sign}${fixed(size / 1000, size >= 9950 ? 0 : 1)}k`;
  return `${sign}${fixed(size, digits)}`.replaceAll(",", "");
}
