// Science Birds in SVG: the level as it is built, and how it falls once it is finished.

import { s } from "../dom.js";

const FILL = { wood: "#cd9352", stone: "#96969b", ice: "#a0d7f0" };
const OTHERS = { Pig: "#6ebe50", TNT: "#c83c32", Platform: "#5a463c" };
const STROKE = "#3c2d1e";
const still = matchMedia("(prefers-reduced-motion: reduce)");

export function mount(element, replay) {
  const svg = s("svg", { viewBox: "0 0 640 480", role: "img", width: "100%", style: { "max-height": "70vh" } });
  element.append(svg);
  let running = 0;

  function render(step) {
    cancelAnimationFrame(running);
    const { frame } = replay.steps[step];
    const film = frame.fall ?? { pieces: frame.pieces, seconds: [0], poses: [frame.poses], life: [[]] };
    const view = fit(film.poses, frame.ground);
    const pieces = film.pieces.map((piece) => s("polygon", {
      points: piece.shape.map(([x, y]) => `${x},${-y}`).join(" "),
      fill: FILL[piece.material] ?? OTHERS[piece.tag] ?? "#888",
      stroke: STROKE,
      "stroke-width": 0.015,
    }));
    svg.setAttribute("viewBox", `${view.left} ${view.top} ${view.width} ${view.height}`);
    svg.replaceChildren(
      s("rect", { x: view.left, y: view.top, width: view.width, height: view.height, fill: "#deeefa" }),
      s("rect", { x: view.left, y: -frame.ground, width: view.width, height: view.height, fill: "#78a05a" }),
      ...pieces,
      ...captions(frame, view),
    );
    const last = film.poses.length - 1;
    if (last === 0 || still.matches) {
      place(pieces, film, last);
      return;
    }
    const begun = performance.now();
    const tick = (now) => {
      const at = (now - begun) / 1000;
      const next = film.seconds.findIndex((seconds) => seconds >= at);
      place(pieces, film, next < 0 ? last : next);
      if (next >= 0) running = requestAnimationFrame(tick);
    };
    tick(begun);
  }

  return {
    render,
    unmount() {
      cancelAnimationFrame(running);
      svg.remove();
    },
  };
}

/** Pieces at the poses of one frame of the film; what is destroyed is hidden, what is hurt paler. */
function place(pieces, film, index) {
  pieces.forEach((piece, i) => {
    const pose = film.poses[index][i];
    piece.style.display = pose ? "" : "none";
    if (!pose) return;
    const [x, y, angle] = pose;
    piece.setAttribute("transform", `translate(${x} ${-y}) rotate(${(-angle * 180) / Math.PI})`);
    const life = film.life[index]?.[i] ?? 1;
    piece.setAttribute("fill-opacity", 0.45 + 0.55 * life);
  });
}

/** What the pictures must show: every pose of the film, the ground, and some air. */
function fit(poses, ground) {
  const points = poses.flat().filter(Boolean);
  const xs = points.map(([x]) => x).concat(points.length ? [] : [2, 4]);
  const ys = points.map(([, y]) => y).concat(ground + 1.5);
  const left = Math.min(...xs) - 1.2;
  const width = Math.max(3, Math.max(...xs) + 1.2 - left);
  const top = -Math.max(...ys) - 0.9;
  return { left, top, width, height: -ground + 0.4 - top };
}

function captions(frame, view) {
  const size = view.height / 18;
  const rows = frame.results.map((result, i) => {
    const what = result.failure || `stability ${result.stability}, similarity ${result.similarity}, reads ${result.reads}`;
    return frame.results.length > 1 ? `level ${i + 1}: ${what}` : what;
  });
  const shown = [`letter ${frame.letter}`, ...rows.slice(-3)];
  return shown.map((text, i) => s("text", {
    x: view.left + size * 0.5, y: view.top + size * (1.2 + 1.1 * i), "font-size": size * (i ? 0.7 : 1), fill: "#223",
  }, text));
}
