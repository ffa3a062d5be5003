"""Language models learn: from decisions of others, and from what their own decisions earn."""
