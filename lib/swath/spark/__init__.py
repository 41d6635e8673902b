"""The thin adapter: reference rows in, small rows out."""
