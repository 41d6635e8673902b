"""swath: raw satellite scenes in, trusted analysis-ready products out."""

__version__ = "0.1.0"
