"""Headers and windows of rasters."""
