"""Players of Science Birds that search for levels or learn to build them."""
