"""Where compiled kernels are cached: in a folder of their own for each state of the sources.

numba's cache notices that a kernel's own file has changed, but not that a function which it calls
in another file has: after an update of the rules it would go on playing by the old ones, or crash
on a record whose layout is another. So the folder is named by a hash of all kernels' sources.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

_FLOORS = Path(__file__).resolve().parent, Path(__file__).resolve().parent.parent / "agents"


def choose_cache() -> None:
    """Point numba to the folder for these sources; called once, before any kernel is defined.

    It lies in $NUMBA_CACHE_DIR, else in the user's cache folder, else in a temporary one.
    """
    digest = hashlib.blake2b(digest_size=6)
    for floor in _FLOORS:
        for file in sorted(floor.rglob("*.py")):
            source = file.read_bytes()
            if b"numba" in source or b"compiled" in source:  # or decorated as rules.compiled
                digest.update(source)
    name = f"kernels-{digest.hexdigest()}"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    base = Path(os.environ.get("NUMBA_CACHE_DIR") or caches / "arena")
    if base.name.startswith("kernels-"):  # inherited from a parent process of ours
        base = base.parent
    folder = base / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"arena-{os.getuid()}" / name
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    else:
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
