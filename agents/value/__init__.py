"""Players that learn or compute values: dynamic programmes and deep Q-learning."""
