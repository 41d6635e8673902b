"""spark-submit in the foreground: a laptop, CI, or a cluster that shares folders."""
