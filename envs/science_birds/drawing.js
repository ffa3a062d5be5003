// Science Birds: a level as it is built, and how it falls when it is finished.

import { h, s, segments } from "../dom.js";
import { fixed, percent } from "../format.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

export const whole = true;

const KINDS = ["b11", "b13", "b31"];
const SLOTS = 20;

/** A person chooses a block, then the slot that it drops in. */
export function controls(turn, frame, decide) {
  const known = new Map(turn.legal.map(({ action, label }) => [label, action]));
  const word = (kind, slot) => `drop_block('${kind}', ${slot})`;
  const drops = new Set(KINDS.flatMap((kind) => Array.from({ length: SLOTS }, (_, slot) => word(kind, slot))));
  const slots = h("div", { class: "controls slots", role: "group", "aria-label": "Slot" });
  const choose = (kind) =>
    slots.replaceChildren(
      ...Array.from({ length: SLOTS }, (_, slot) =>
        h("button", { type: "button", disabled: !known.has(word(kind, slot)), onclick: () => decide(known.get(word(kind, slot))) }, String(slot)),
      ),
    );
  choose(KINDS[0]);
  const others = turn.legal.filter(({ label }) => !drops.has(label));
  return [
    h("p", { class: "muted" }, `The letter is ${turn.facts.letter}. Choose a block, then the slot it drops in.`),
    h("div", { class: "controls" }, segments("Block", KINDS.map((kind) => [kind, kind]), KINDS[0], choose), others.map(({ action, label }) => h("button", { type: "button", onclick: () => decide(action) }, label))),
    slots,
  ];
}

export function mount(element, replay) {
  const box = bounds(replay);
  const [x, y, width, height] = box;
  const ground = replay.steps[0].frame.ground;
  const pieces = s("g");
  // The world's y points up.
  const svg = s(
    "svg",
    { class: "birds", viewBox: `${x} ${-(y + height)} ${width} ${height}`, role: "img" },
    s("g", { transform: "scale(1 -1)" }, s("rect", { class: "earth", x: x - width, y: y - 1, width: 3 * width, height: ground - y + 1 }), pieces),
  );
  const task = h("p", { class: "choice" });
  const results = h("div");
  const root = h("div", { class: "level" }, h("div", { class: "section-head" }, task, results), svg);
  element.append(root);
  let running = null;

  function draw(list, poses, life) {
    pieces.replaceChildren(
      ...list.flatMap((piece, i) => {
        const pose = poses[i];
        if (!pose) return [];
        const [px, py, angle] = pose;
        const points = piece.shape.map(([a, b]) => `${a},${b}`).join(" ");
        const kind = (piece.tag === "Block" ? piece.material : piece.tag).toLowerCase();
        return [
          s("polygon", {
            class: `piece ${/^[a-z]+$/.test(kind) ? kind : ""}`,
            points,
            transform: `translate(${px} ${py}) rotate(${(angle * 180) / Math.PI})`,
            opacity: life?.[i] === null || life?.[i] === undefined ? 1 : 0.45 + 0.55 * life[i],
          }),
        ];
      }),
    );
  }

  function play(film) {
    const last = film.poses.length - 1;
    if (still.matches) {
      draw(film.pieces, film.poses[last], film.life[last]);
      return;
    }
    const begun = performance.now();
    const frame = (now) => {
      const seconds = (now - begun) / 1000;
      let at = film.seconds.findIndex((t) => t > seconds);
      if (at < 0) at = last + 1;
      const before = Math.max(0, at - 1);
      if (before >= last) {
        draw(film.pieces, film.poses[last], film.life[last]);
        running = null;
        return;
      }
      const share = (seconds - film.seconds[before]) / (film.seconds[at] - film.seconds[before]);
      draw(film.pieces, film.poses[before].map((pose, i) => between(pose, film.poses[at][i], Math.max(0, share))), film.life[before]);
      running = requestAnimationFrame(frame);
    };
    running = requestAnimationFrame(frame);
  }

  function render(step) {
    if (running !== null) cancelAnimationFrame(running);
    running = null;
    const { frame } = replay.steps[step];
    task.textContent = `Letter ${frame.letter}`;
    results.replaceChildren(
      ...frame.results.map((result, i) =>
        h(
          "p",
          { class: "small" },
          frame.results.length > 1 && `Level ${i + 1}: `,
          result.failure || `stands ${percent(result.stability, 0)}, likeness ${fixed(result.similarity, 2)}, reads as ${result.reads || "nothing"}`,
        ),
      ),
    );
    svg.setAttribute("aria-label", `Level for the letter ${frame.letter} with ${frame.pieces.length} blocks`);
    if (frame.fall) play(frame.fall);
    else draw(frame.pieces, frame.poses, null);
  }

  return {
    render,
    unmount() {
      if (running !== null) cancelAnimationFrame(running);
      root.remove();
    },
  };
}

function between(a, b, share) {
  if (!a || !b) return a;
  return a.map((value, i) => value + share * (b[i] - value));
}

/** What all steps need to show: x, y, width, height in the world's units. */
function bounds(replay) {
  let [left, right, top] = [Infinity, -Infinity, -Infinity];
  const ground = replay.steps[0].frame.ground;
  const see = (poses) => {
    for (const pose of poses) {
      if (!pose) continue;
      left = Math.min(left, pose[0]);
      right = Math.max(right, pose[0]);
      top = Math.max(top, pose[1]);
    }
  };
  for (const { frame } of replay.steps) {
    see(frame.poses);
    if (frame.fall) frame.fall.poses.forEach(see);
  }
  if (left > right) [left, right, top] = [0, 5, ground + 2];
  const width = Math.max(right - left + 2, 5.5);
  const height = Math.max(top - ground + 1.4, width * 0.55);
  return [(left + right - width) / 2, ground - 0.4, width, height];
}
