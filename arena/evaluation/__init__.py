"""Evaluations: ``arena eval SUITE --agent … -o FOLDER``.

A suite is a package, one folder with its questions, prompts, scores and report. It joins by an
entry point ``arena.suites`` and has

- ``HELP``, one line, and a docstring that ``--help`` shows;
- ``add(parser)``, which declares options of its own. ``--agent`` (``options.agent``: a list of
  ``SPEC`` or ``NAME=SPEC``), ``-o`` (``options.output``: a ``Path``), ``--seed`` and ``--json`` are
  the command's;
- ``run(options) -> Report``, which imports what it needs.

A suite that asks questions gives them, named, to ``answering.ask``, which keeps every answer in
the folder as it comes, resumes where it was interrupted, and refuses a folder of other settings. A
suite that plays runs a league into ``FOLDER/arena.db`` (``leaguing.play``). Either makes a
``report.Report`` of tables, bars, heat maps and examples; the command prints its tables and writes
``result.json`` and ``index.html`` into the folder.
"""

from arena.envs.plugins import points

GROUP = "arena.suites"


def suite_names() -> list[str]:
    """The names of all installed suites, sorted."""
    return list(points(GROUP))
