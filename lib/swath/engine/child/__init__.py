"""The child process that does the work, and its parent."""
