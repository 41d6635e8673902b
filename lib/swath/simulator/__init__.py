"""Scenes with known truth, in the real delivery formats."""
