"""``arena doctor``: what is installed here, what is missing, and what that stops."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that was looked for."""

    what: str
    well: bool
    found: str


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what was found. Exit code 1 where what every command needs is missing."""
    from arena.cli.console import show, table
    from arena.cli.families import print_json

    found = [*_machine(), *_packages(), *_programs()]
    if options.json:
        print_json([one._asdict() for one in found])
    else:
        rows = table("", "what", "found")
        for one in found:
            rows.add_row("✓" if one.well else "–", one.what, one.found)
        show(rows, keys=2)
    return 0 if all(one.well for one in found if one.what == "arena itself") else 1


def _machine() -> Iterator[Finding]:
    import os
    import platform
    from pathlib import Path

    import numba

    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.machine()}, {cores} cores, {memory:.0f} GiB"
    yield Finding("machine", True, f"{system}, Python {platform.python_version()}")
    folder = Path(vars(numba.config)["CACHE_DIR"])
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20
    yield Finding("compiled kernels", True, f"{size:.0f} MiB in {folder}")
    yield _gpu()


def _gpu() -> Finding:
    try:
        import torch
    except ImportError:
        return Finding("GPU", False, "PyTorch is not installed")
    if not torch.cuda.is_available():
        return Finding("GPU", False, "none that PyTorch sees; networks train on the CPU")
    return Finding("GPU", True, torch.cuda.get_device_name())


def _packages() -> Iterator[Finding]:
    """What Arena needs, and each of its extras: what of it is not installed, or is too old."""
    from collections import defaultdict
    from importlib.metadata import requires, version

    lacking: dict[str, list[str]] = defaultdict(list)
    for line in requires("arena") or []:
        name, extra = _requirement(line)
        lacking[extra].extend([] if (fault := _fault(line)) is None else [f"{name} {fault}"])
    for extra, faults in lacking.items():
        what = f"extra {extra}" if extra else "arena itself"
        well = f"version {version('arena')}" if not extra else "installed"
        again = f"pip install 'arena[{extra}]'" if extra else "pip install arena"
        yield Finding(what, not faults, f"{', '.join(faults)}: {again}" if faults else well)


def _requirement(line: str) -> tuple[str, str]:
    """The distribution that a requirement names, and the extra that it is of ("" for none)."""
    from packaging.requirements import Requirement

    parsed = Requirement(line)
    return parsed.name, str(parsed.marker or "").rpartition('extra == "')[2].rstrip('"')


def _fault(line: str) -> str | None:
    """Why a requirement is not met, or None."""
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    parsed = Requirement(line)
    try:
        found = version(parsed.name)
    except PackageNotFoundError:
        return "is missing"
    return None if parsed.specifier.contains(found, prereleases=True) else f"is {found}"


def _programs() -> Iterator[Finding]:
    """What lies outside Python."""
    import shutil
    import subprocess

    for what, names, use in (
        ("Chromium", ("chromium", "chromium-browser", "google-chrome"), "the page's tests"),
        ("PostgreSQL", ("psql",), "a store that several machines share"),
    ):
        path = next(filter(None, map(shutil.which, names)), None)
        if path is None:
            yield Finding(what, False, f"not found; needed for {use} only")
            continue
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        yield Finding(what, True, asked.stdout.strip() or path)
