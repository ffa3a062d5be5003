// Plotly, loaded once and only where a chart is drawn, in the page's own colours.

import { page, served } from "./place.js";

let loading = null;

function load() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = served ? "/plotly.js" : page.plotly;
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => reject(new Error("The chart's script could not be loaded; install the extra arena[viewer]."));
    document.head.append(script);
  });
  return loading;
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Colours to tell lines apart, for the theme. */
export function colours() {
  return dark.matches
    ? ["#4fc3b4", "#e0a84f", "#8fa8ff", "#f08a8a", "#b7d66b", "#d59bf0", "#6bc4f0", "#f0b0d0", "#c9c9c2", "#9a8cff"]
    : ["#0f766e", "#b45309", "#3b5bdb", "#c2255c", "#5c940d", "#862e9c", "#1c7ed6", "#a61e4d", "#495057", "#6741d9"];
}

/** Draw traces into an element, or change what is there. */
export async function draw(element, traces, layout) {
  const Plotly = await load();
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    gridcolor: colour("--line"),
    linecolor: colour("--line-strong"),
    zeroline: false,
    automargin: true,
    fixedrange: false,
  };
  if (!element.classList.contains("js-plotly-plot")) element.replaceChildren();
  await Plotly.react(
    element,
    traces,
    {
      autosize: true,
      height: Math.max(360, element.clientHeight),
      margin: { l: 52, r: 8, t: 8, b: 40 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("--muted") },
      hovermode: "x unified",
      hoverlabel: { bgcolor: colour("--surface"), bordercolor: colour("--line-strong"), font: { color: colour("--text") } },
      uirevision: "kept",
      ...layout,
      legend: { orientation: "h", y: -0.22, font: { color: colour("--text") }, ...layout.legend },
      xaxis: { ...axis, ...layout.xaxis },
      yaxis: { ...axis, ...layout.yaxis },
    },
    { displayModeBar: false, responsive: true },
  );
}

/** Mark a place on a chart's x axis. */
export function mark(element, x) {
  const color = getComputedStyle(document.documentElement).getPropertyValue("--muted").trim();
  const line = { type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color, width: 1.5 } };
  globalThis.Plotly.relayout(element, { shapes: [line] });
}
