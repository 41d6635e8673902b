"""Images of a commit: built, listed, scanned, pushed by digest, and written down in one signed file."""
