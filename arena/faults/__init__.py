"""The fault campaign: leagues are killed, stopped, starved and damaged, and must come out the same.

One checker for all faults: the store after fault and resume equals the undisturbed store (returns,
tiebreaks, statuses and replays, apart from how long decisions took). ``python -m arena.faults``
runs it; ``docs/reliability.md`` has the figures of one run.
"""
