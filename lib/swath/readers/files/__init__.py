"""Where delivered files are, what is in them, and their digests."""
