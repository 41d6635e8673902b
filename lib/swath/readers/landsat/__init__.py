"""Landsat Level-1 deliveries of every vintage."""
