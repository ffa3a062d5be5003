"""Policies that begin as a language model: LID (Li et al., NeurIPS 2022, 2202.01771)."""
