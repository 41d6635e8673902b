"""Engines whose drivers and executors are pods: what they share."""
