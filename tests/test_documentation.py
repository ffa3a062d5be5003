"""Every command that the documentation shows is one that the command line accepts."""

import re
import shlex
from pathlib import Path

import pytest

from arena.cli import parser

ROOT = Path(__file__).parent.parent
PAGES = [
    page
    for pattern in ("*.md", "docs/**/*.md", "envs/**/*.md", "agents/**/*.md", "arena/viewer/*.md")
    for page in sorted(ROOT.glob(pattern))
]
COMMAND = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?arena (.*)$", re.M)


def shown(text):
    """What stands in a page's blocks, fenced or indented, a line that goes on in one."""
    fenced = False
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()


def commands(page):
    """The words after ``arena`` of each command, without comments, pipes and what is left out."""
    for line in shown(page.read_text()):
        if (command := COMMAND.match(line)) and "$(" not in line:
            words = [word for word in shlex.split(command[1], comments=True) if word != "…"]
            ends = [i for i, word in enumerate(words) if word in ("|", "&&", ";", ">", "&")]
            yield words[: min(ends, default=len(words))]


FOUND = [(page.relative_to(ROOT), words) for page in PAGES for words in commands(page)]


def test_the_pages_show_commands():
    assert len(FOUND) > 50
    assert len({page for page, _ in FOUND}) > 5


@pytest.mark.parametrize(
    ("page", "words"), FOUND, ids=[f"{page}: {' '.join(words)}"[:90] for page, words in FOUND]
)
def test_a_command_is_accepted(page, words, capsys):
    try:
        parser(words[:1]).parse_args(words)
    except SystemExit as end:
        assert end.code == 0, f"{page}: arena {' '.join(words)}\n{capsys.readouterr().err}"
