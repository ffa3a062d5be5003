"""Damaged and hostile inputs for every reader: ``make fuzz``."""
