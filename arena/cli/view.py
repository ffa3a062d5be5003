"""``arena view``: leagues and replays in the browser, or as pages that need no server."""

from __future__ import annotations

import argparse
import contextlib
import socket
from pathlib import Path

from arena.cli import whole


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="also open a replay (.jsonl.zst) or hand histories (.phh, .phhs, .acpc, .log, .xz)",
    )
    parser.add_argument("--store", default="arena.db", help="SQLite file or database URL")
    parser.add_argument(
        "--port", type=whole(0, 65535), default=8000, metavar="N", help="default: 8000"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to serve on (default: this machine only)"
    )
    parser.add_argument(
        "--export", metavar="DIR", help="write a static site of one league instead of serving"
    )
    parser.add_argument("--league", help="which league to export (default: the newest)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted, or export."""
    from arena.envs.errors import InputError

    try:
        import fastapi  # noqa: F401 - the application's own imports say less of what to do
        import uvicorn
    except ImportError as error:
        raise InputError(f"the viewer needs {error.name}; pip install 'arena[viewer]'") from None
    from arena.cli.console import meter
    from arena.envs.holdem.notation import ENDINGS
    from arena.envs.outside import ending
    from arena.leagues import replay
    from arena.viewer import export
    from arena.viewer.app import make_app
    from arena.viewer.hands import Hands
    from arena.viewer.library import Library

    hands = opened = None
    if options.file is not None:
        path = Path(options.file)
        if ending(path) == ".jsonl":
            opened = replay.read_file(path)
        elif ending(path) in ENDINGS:
            hands = Hands(path)
        else:
            raise InputError(
                f"{path} is neither a replay (.jsonl.zst) nor hand histories "
                f"({', '.join(ENDINGS)}); name one of these, or a store with --store"
            )
    library = Library(options.store, opened)
    if options.export is not None:
        folder = Path(options.export)
        with meter("export") as progress:
            for written, total in export.site(library, options.league, folder):
                progress.update(written, total)
        print(f"wrote {total} pages; open {folder / 'index.html'}")
        return 0
    library.store()
    # Bound first, so that a taken port is one sentence and the address that is told is right.
    listener = _listen(options.host, options.port)
    host = f"[{options.host}]" if ":" in options.host else options.host
    place = "/hands" if hands else f"/matches/{opened.header['id']}" if opened else ""
    print(f"http://{host}:{listener.getsockname()[1]}{place}  (interrupt to stop)", flush=True)
    app = make_app(library, hands, options.host)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    from arena.envs.errors import InputError

    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise InputError(
            f"{host}:{port} cannot be served on ({error.strerror}); choose another --port"
        ) from None
    return listener
