"""Science Birds: build letters that stand and can be read, as in ChatGPT4PCG 2."""
