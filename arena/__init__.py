"""The venue: command line, web viewer, benchmarks."""
