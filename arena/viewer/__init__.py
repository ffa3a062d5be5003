"""The web viewer: leaderboards and replays in a browser, served on loopback or written to files.

``app`` answers requests, ``library`` reads the store and keeps what is dear to compute,
``episodes`` and ``hands`` turn replays and hand histories into steps to look at, ``human`` seats a
person at a table, ``export`` writes pages that need no server. The pages themselves are the ES
modules in ``static``: data comes to them as JSON and is shown as text, never as markup.

Needs the extra ``viewer`` (FastAPI, uvicorn, Plotly).
"""
