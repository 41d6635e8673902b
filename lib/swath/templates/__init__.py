"""What ``swath template`` writes: a file of each kind that users write, with comments, and valid as it is.

In the YAML files ``# `` begins a comment, and ``#key:`` a setting that is left at its default: without its ``#`` the file is
valid as well.
"""
