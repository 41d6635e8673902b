"""Runs: from inputs to a plan, waves and commits."""
