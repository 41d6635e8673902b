"""Elevation of the ground: rasters that a site names, their datum, and heights at places."""
