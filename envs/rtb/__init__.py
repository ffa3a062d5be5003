"""Real-time bidding: campaigns against a logged market, and a market where bidders meet."""
