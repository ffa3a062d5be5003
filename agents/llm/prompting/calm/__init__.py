"""The prompts of CALM's judge, put together from parts."""
