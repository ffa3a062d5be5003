"""Trains the letter classifier of ``similarity`` on the machine's fonts.

    python -m arena.envs.science_birds.similarity_training \\
        --out envs/science_birds/similarity.safetensors

Every capital of every usable font becomes pictures in the competition's framing: sheared, turned
and stretched, or rebuilt out of a coarse grid's cells as a level would build it. Rubble (random
drops, fallen) and torn glyphs are shown with all letters equally right, lest a search finds heaps
that are read with confidence. Families named in ``HELD_OUT`` are never trained on; their accuracy
is printed and written into the file.

Needs torch and Pillow, and fonts: the shipped weights were trained on those of the Debian packages
listed in the game's README.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ImageFont
from safetensors.numpy import save_file
from torch import nn

from arena.envs.science_birds import drawing, grid, levels, simulation
from arena.envs.science_birds.similarity import HIDDEN, LETTERS, SIZE, Classifier

GLYPH = 96
"""Glyphs are kept at this size in pixels, stretched to fill it, with their aspect beside them."""

HELD_OUT = (
    "Anonymous", "B612", "Clear", "Comic", "DejaVu", "Dosis", "Karla", "Manrope", "Play",
    "Prociono", "Vollkorn",
)  # fmt: skip
"""First words of the families that are only tested on."""

NO_LETTERS = (
    "D050000L", "DSEG", "Linux Biolinum Keyboard", "Linux Libertine Initials", "Noto", "STIXInt",
    "STIXNon", "STIXSize", "STIXVar", "Solide Mirage", "Standard Symbols",
)  # fmt: skip
"""Families without capitals that a person would read: symbols, segments, ornaments."""
NOTO = ("Noto Sans", "Noto Serif", "Noto Mono", "Noto Sans Mono")
"""Of Noto's hundreds of families these have a Latin of their own."""


def find_fonts(folder: Path) -> dict[str, list[NDArray[np.uint8]]]:
    """Capitals A–Z of every font under ``folder``: family to a list of uint8 ``(26, 97, 96)``.

    The 97th row holds the glyph's width and height in its first two pixels.
    """
    found: dict[str, list[NDArray[np.uint8]]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".ttf", ".otf")):
        try:
            font = ImageFont.truetype(str(path), 120)
        except OSError:
            continue
        family = font.getname()[0] or path.stem
        if family.startswith(NO_LETTERS) and family not in NOTO:
            continue
        glyphs = np.zeros((26, GLYPH + 1, GLYPH), np.uint8)
        missing = font.getmask("\uffff", "L")
        for i, letter in enumerate(LETTERS):
            mask = font.getmask(letter, "L")
            box = mask.getbbox()
            if box is None or bytes(mask) == bytes(missing):
                break
            w, h = box[2] - box[0], box[3] - box[1]
            if not (0.1 < w / h < 4) or w > 250 or h > 250:
                break
            part = mask.crop(box).resize((GLYPH, GLYPH), 1)
            glyphs[i, :GLYPH] = np.array(part, np.uint8).reshape(GLYPH, GLYPH)
            glyphs[i, GLYPH, :2] = w, h
        else:
            found.setdefault(family, []).append(glyphs)
    return found


# -- pictures ----------------------------------------------------------------------------------


@numba.njit(cache=True)
def _frame(ink: NDArray[np.float32], aspect: float, out: NDArray[np.float32]) -> None:
    """Crop ``ink`` to what is dark and draw it in the competition's framing."""
    rows, columns = ink.shape
    top, bottom, left, right = rows, -1, columns, -1
    for i in range(rows):
        for j in range(columns):
            if ink[i, j] > 0.5:
                top, bottom = min(top, i), max(bottom, i)
                left, right = min(left, j), max(right, j)
    out[:] = 0
    if bottom < 0:
        return
    h = float(bottom - top + 1)
    w = float(right - left + 1) * aspect
    size = out.shape[0]
    scale = size * (1 - 2 * drawing.MARGIN) / max(w, h)
    fine = drawing.SAMPLES
    for i in range(size):
        for j in range(size):
            total = np.float32(0)
            for a in range(fine):
                for b in range(fine):
                    y = (i + (a + 0.5) / fine - size / 2) / scale + h / 2
                    x = (j + (b + 0.5) / fine - size / 2) / scale + w / 2
                    if 0 <= y < h and 0 <= x < w:
                        total += ink[top + int(y), left + int(x / aspect)]
            out[i, j] = total / (fine * fine)


@numba.njit(cache=True)
def _smooth(glyph: NDArray[np.uint8], u: NDArray[np.float64], out: NDArray[np.float32]) -> None:
    """A glyph sheared, turned, stretched, made bolder or lighter."""
    w, h = float(glyph[GLYPH, 0]), float(glyph[GLYPH, 1])
    angle, shear = (u[0] - 0.5) * 0.35, (u[1] - 0.5) * 0.6
    stretch = np.exp((u[2] - 0.5) * 1.0)
    threshold = 90.0 + 80.0 * u[3]
    work = 96
    ink = np.zeros((work, work), np.float32)
    c, s = np.cos(angle), np.sin(angle)
    reach = 0.72 * max(w * stretch, h)
    for i in range(work):
        for j in range(work):
            y0, x0 = (
                (i + 0.5 - work / 2) / work * 2 * reach,
                (j + 0.5 - work / 2) / work * 2 * reach,
            )
            x, y = c * x0 + s * y0, -s * x0 + c * y0
            x = (x + shear * y) / stretch
            gx, gy = (x / w + 0.5) * GLYPH, (y / h + 0.5) * GLYPH
            if 0 <= gx < GLYPH and 0 <= gy < GLYPH and glyph[int(gy), int(gx)] > threshold:
                ink[i, j] = 1
    _frame(ink, 1.0, out)


@numba.njit(cache=True)
def _blocky(
    glyph: NDArray[np.uint8], u: NDArray[np.float64], noise: NDArray[np.float64], torn: bool,
    out: NDArray[np.float32],
) -> None:  # fmt: skip
    """A glyph rebuilt out of the cells of a coarse grid, some of them wrong.

    With ``torn`` its upper and lower parts, or its left and right ones, change places.
    """
    w, h = float(glyph[GLYPH, 0]), float(glyph[GLYPH, 1])
    rows = 5 + int(u[0] * 11)
    columns = round(rows * w / h * np.exp((u[1] - 0.5) * 1.2))
    columns = min(max(columns, 1 if w / h < 0.4 else 3), 18)
    coverage = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            total, count = 0.0, 0
            for y in range(i * GLYPH // rows, (i + 1) * GLYPH // rows):
                for x in range(j * GLYPH // columns, (j + 1) * GLYPH // columns):
                    total += glyph[y, x]
                    count += 1
            coverage[i, j] = total / count
    # Relative to the darkest cell, so that thin strokes survive coarse grids.
    threshold = (0.3 + 0.35 * u[2]) * coverage.max()
    errors = 0.06 * u[3] * u[3]
    seam = u[4] < 0.3
    down = right = 0
    if torn:
        if u[6] < 0.5:
            down = rows // 2
        else:
            right = max(columns // 2, 1)
    fine = 6
    ink = np.zeros((rows * fine, columns * fine), np.float32)
    for i in range(rows):
        for j in range(columns):
            dark = coverage[(i + down) % rows, (j + right) % columns] > threshold
            if noise[i, j] < errors:
                dark = not dark
            if dark:
                ink[i * fine : (i + 1) * fine, j * fine : (j + 1) * fine] = 1
                if seam and noise[i, j] > 0.5:
                    ink[(i + 1) * fine - 1, j * fine : (j + 1) * fine] = 0
    _frame(ink, np.exp((u[5] - 0.5) * 0.3), out)


@numba.njit(cache=True)
def _batch(
    glyphs: NDArray[np.uint8], picks: NDArray[np.int64], u: NDArray[np.float64],
    noise: NDArray[np.float64], blocky_share: float, torn: bool, out: NDArray[np.float32],
) -> None:  # fmt: skip
    for i in range(len(picks)):
        if u[i, 7] < blocky_share:
            _blocky(glyphs[picks[i]], u[i], noise[i], torn, out[i])
        else:
            _smooth(glyphs[picks[i]], u[i], out[i])


def pictures_of(
    glyphs: NDArray[np.uint8],
    picks: NDArray[np.int64],
    rng: np.random.Generator,
    blocky: float,
    *,
    torn: bool = False,
) -> NDArray[np.float32]:
    """Augmented pictures ``(n, 32, 32)`` of the glyphs picked, a share of them blocky."""
    out = np.zeros((len(picks), SIZE, SIZE), np.float32)
    u, noise = rng.random((len(picks), 8)), rng.random((len(picks), 16, 18))
    _batch(glyphs, picks, u, noise, blocky, torn, out)
    return out


def rubble(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Pictures of what becomes of blocks that are dropped at random, ``(count, 32, 32)``."""
    out: list[NDArray[np.float32]] = []
    while len(out) < count:
        drops = rng.integers(0, 3, rng.integers(5, 26)) * grid.WIDTH
        built = grid.build(drops + 6 + rng.integers(0, rng.integers(3, 9), len(drops)))
        if not isinstance(built, str):
            level = levels.from_structure(built)
            poses = simulation.judge(level, tries=1).poses
            out.append(drawing.render(drawing.outlines(level, poses), SIZE))
    return np.array(out)


# -- training ----------------------------------------------------------------------------------


RUBBLE, TORN = 0.12, 0.1
"""Shares of a batch that are no letters: all letters are equally right for them."""


def batches(
    glyphs: NDArray[np.uint8], heaps: NDArray[np.float32], size: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Endless pictures and target distributions; two letters in three are blocky."""
    heaped, torn = round(size * RUBBLE), round(size * TORN)
    letters = size - heaped - torn
    while True:
        picks = rng.integers(0, len(glyphs), size - heaped)
        targets = np.full((size, 26), 1 / 26, np.float32)
        targets[:letters] = np.eye(26, dtype=np.float32)[picks[:letters] % 26]
        heap = heaps[rng.integers(0, len(heaps), heaped)]
        if rng.random() < 0.5:
            heap = heap[:, :, ::-1]
        pictures = (
            pictures_of(glyphs, picks[:letters], rng, 2 / 3),
            pictures_of(glyphs, picks[letters:], rng, 1.0, torn=True),
            heap,
        )
        yield np.concatenate(pictures), targets


def network() -> nn.Sequential:
    """The classifier as it is trained; ``export`` folds its normalisations away."""

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
            nn.ReLU(), nn.MaxPool2d(2),
        ]  # fmt: skip

    return nn.Sequential(
        *block(1, 24), *block(24, 48), *block(48, 64), nn.Flatten(), nn.Linear(1024, HIDDEN),
        nn.ReLU(), nn.Dropout(0.3), nn.Linear(HIDDEN, 26),
    )  # fmt: skip


def export(model: nn.Sequential) -> dict[str, NDArray[np.float32]]:
    """The trained network's layers as ``similarity.Classifier`` reads them."""
    tensors: dict[str, NDArray[np.float32]] = {}
    convolutions = [m for m in model if isinstance(m, nn.Conv2d)]
    normalisations = [m for m in model if isinstance(m, nn.BatchNorm2d)]
    for i, (conv, norm) in enumerate(zip(convolutions, normalisations, strict=True), 1):
        assert norm.running_mean is not None and norm.running_var is not None
        factor = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
        weight = (conv.weight * factor[:, None, None, None]).detach()
        tensors[f"w{i}"] = weight.permute(2, 3, 1, 0).contiguous().numpy()
        tensors[f"b{i}"] = (norm.bias - norm.running_mean * factor).detach().numpy()
    hidden, last = (m for m in model if isinstance(m, nn.Linear))
    # Torch flattens channels first, we flatten them last.
    weight = hidden.weight.detach().view(HIDDEN, 64, 4, 4).permute(2, 3, 1, 0)
    tensors["w4"] = weight.reshape(1024, HIDDEN).contiguous().numpy()
    tensors["b4"] = hidden.bias.detach().numpy()
    tensors["w5"] = last.weight.detach().t().contiguous().numpy()
    tensors["b5"] = last.bias.detach().numpy()
    return tensors


def train(fonts: Path, out: Path, *, steps: int, seed: int, threads: int) -> dict[str, str]:
    """Train, test on the families held out, and write the weights; returns the figures."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    families = find_fonts(fonts)
    held = {name for name in families if name.split()[0] in HELD_OUT}
    trained = np.concatenate([g for name in families if name not in held for g in families[name]])
    tested = np.concatenate([g for name in sorted(held) for g in families[name]])
    print(f"{len(families) - len(held)} families, {len(trained)} glyphs to train on;"
          f" {len(held)} families, {len(tested)} glyphs held out")  # fmt: skip
    heaps = rubble(rng, 3000)
    print(f"{len(heaps)} heaps of rubble")
    model = network()
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    began = time.perf_counter()
    for step, (x, y) in zip(range(1, steps + 1), batches(trained, heaps, 256, rng), strict=False):
        model.train()
        logits = model(torch.from_numpy(x).unsqueeze(1))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(y))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 200 == 0:
            print(f"step {step}, loss {loss.item():.4f}, {time.perf_counter() - began:.0f} s")
    model.eval()
    tensors = export(model)
    ours = Classifier(tuple(tensors[f"{kind}{i}"] for i in range(1, 6) for kind in "wb"))
    figures = {"fonts": str(len(trained) // 26), "held_out": " ".join(HELD_OUT),
               "steps": str(steps), "seed": str(seed)}  # fmt: skip
    test_rng = np.random.default_rng(12345)
    for name, blocky in (("plain", None), ("augmented", 0.0), ("blocky", 1.0)):
        picks = np.arange(len(tested))
        x = plain(tested) if blocky is None else pictures_of(tested, picks, test_rng, blocky)
        right = ours.read(x)[0].argmax(1) == picks % 26
        figures[f"accuracy_{name}"] = f"{right.mean():.4f}"
    save_file(tensors, out, metadata=figures)
    print(figures)
    return figures


def plain(glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Glyphs as they are, in the competition's framing."""
    out = np.zeros((len(glyphs), SIZE, SIZE), np.float32)
    for glyph, picture in zip(glyphs, out, strict=True):
        w, h = float(glyph[GLYPH, 0]), float(glyph[GLYPH, 1])
        _frame((glyph[:GLYPH] > 127).astype(np.float32), w / h, picture)
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    train(
        options.fonts, options.out, steps=options.steps, seed=options.seed, threads=options.threads
    )


if __name__ == "__main__":
    main()
