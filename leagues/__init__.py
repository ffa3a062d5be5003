"""The competition: matches, schedules, executors, the store, replays, ratings."""
