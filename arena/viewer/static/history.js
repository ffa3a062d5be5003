// The ratings over the deals played. Plotly draws it, and is loaded when the chart comes into view.

import { get } from "./api.js";
import { empty, h, section } from "./dom.js";
import { colours, draw } from "./plotly.js";
import { span } from "./ranking.js";

export class History {
  constructor(league, names) {
    this.path = `/api/leagues/${league.id}/history`;
    this.names = names;
    this.chart = h("div", { class: "chart" }, h("p", { class: "empty" }, "Loading the chart …"));
    this.element = section("Rating over deals", null, this.chart);
    this.visible = false;
    this.wanted = false;
    new IntersectionObserver((entries) => {
      this.visible = entries.some((entry) => entry.isIntersecting);
      if (this.visible && this.wanted) this.show();
    }, { rootMargin: "200px" }).observe(this.chart);
  }

  /** Draw what the log says now, as soon as the chart is in view. */
  async show() {
    this.wanted = !this.visible;
    if (!this.visible) return;
    try {
      const data = await get(this.path);
      if (data.deals.length < 2) {
        this.chart.replaceChildren(empty("Too few deals for a curve.", "It appears with the second."));
        return;
      }
      await draw(this.chart, this.traces(data), {
        xaxis: { title: { text: "deals", standoff: 6 }, rangemode: "tozero" },
        yaxis: { range: this.range(data) },
      });
    } catch (error) {
      this.chart.replaceChildren(empty(error.message));
    }
  }

  range(data) {
    const last = data.rating.at(-1);
    return span(last.map((value, agent) => ({ value, low: data.low.at(-1)[agent], high: data.high.at(-1)[agent] })));
  }

  traces(data) {
    const last = data.rating.length - 1;
    const order = data.agents.map((_, i) => i).sort((a, b) => data.rating[last][b] - data.rating[last][a]);
    const palette = colours();
    return order.flatMap((agent, place) => {
      const colour = palette[place % palette.length];
      const name = this.names[data.agents[agent]];
      const column = (rows) => rows.map((row) => row[agent]);
      const common = { x: data.deals, legendgroup: String(agent), mode: "lines" };
      return [
        { ...common, y: column(data.low), line: { width: 0 }, hoverinfo: "skip", showlegend: false },
        { ...common, y: column(data.high), line: { width: 0 }, fill: "tonexty", fillcolor: `${colour}16`, hoverinfo: "skip", showlegend: false },
        {
          ...common,
          y: column(data.rating),
          // Plotly reads some tags in names: an agent's name must stay text.
          name: name.replaceAll("<", "‹").replaceAll(">", "›"),
          line: { color: colour, width: 2 },
          hovertemplate: "%{y:.0f}<extra>%{fullData.name}</extra>",
        },
      ];
    });
  }
}
