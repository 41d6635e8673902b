"""STAC items, collections and the static catalogue."""
