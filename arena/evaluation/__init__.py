"""Evaluations of language models: ``arena eval SUITE --agent … -o FOLDER``.

A suite is a module of ``arena.evaluation.suites`` with

- ``HELP``, one line, and a docstring that ``--help`` shows;
- ``add(parser)``, which declares options of its own. ``--agent`` (``options.agent``: a list of
  ``SPEC`` or ``NAME=SPEC``), ``-o`` (``options.output``: a ``Path``), ``--seed`` and ``--json`` are
  the command's;
- ``run(options) -> Report``, which imports what it needs.

A suite that asks questions gives them, named, to ``answering.ask``, which keeps every answer in
the folder as it comes, goes on where it was interrupted, and refuses a folder of other settings. A
suite that plays runs a league into ``FOLDER/arena.db`` (``leaguing.play``). Either makes a
``report.Report`` of tables, bars, heat maps and examples; the command prints its tables and writes
``result.json`` and ``index.html`` into the folder.
"""
