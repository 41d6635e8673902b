"""One strip from end to end without Spark, and the child process that runs it."""
