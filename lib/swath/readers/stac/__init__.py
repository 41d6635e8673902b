"""Any sensor by a STAC item, and searches for items."""
