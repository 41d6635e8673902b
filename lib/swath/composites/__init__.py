"""A run of composites: which there are, which are new, made by executors and committed wave by wave."""
