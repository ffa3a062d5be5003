"""How games are told to language models: templates, what fills them, and who asks."""
