"""The map of an output: a page and a server on the loopback interface."""
