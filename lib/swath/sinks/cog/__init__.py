"""One cloud-optimised GeoTIFF from the parts of many tasks."""
