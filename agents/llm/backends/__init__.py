"""What language models are run by: this process, llama.cpp, an endpoint."""
