"""Sentinel-2 Level-1C deliveries."""
