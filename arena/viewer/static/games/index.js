// One drawing module a game. A module exports `mount(element, replay)`, which returns
// `{ render(step), unmount() }`: `step` is an index into `replay.steps`, whose `frame` is what the
// game's own `frames.py` says of the table.

const DRAWINGS = {
  holdem: () => import("./holdem.js"),
  science_birds: () => import("./science_birds.js"),
  minihack: () => import("./minihack.js"),
  rtb: () => import("./rtb.js"),
  science_birds: () => import("./science_birds.js"),
  generic: () => import("./generic.js"),
};

/** Draw `replay` into `element` with its game's own module. */
export async function mount(element, replay) {
  const module = await (DRAWINGS[replay.drawing] ?? DRAWINGS.generic)();
  return module.mount(element, replay);
}
