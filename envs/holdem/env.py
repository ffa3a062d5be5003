"""Hold'em as PettingZoo has environments: ``env``, ``raw_env`` and ``parallel_env``.

They take the options of ``Holdem`` as keywords; see ``arena.envs.faces.zoo``.
"""

from functools import partial

from arena.envs.faces import zoo

env = partial(zoo.aec_env, "holdem")
raw_env = partial(zoo.raw_env, "holdem")
parallel_env = partial(zoo.parallel_env, "holdem")
