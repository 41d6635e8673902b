"""Samples, splits, fits and metrics: from labelled polygons to a registered model."""
