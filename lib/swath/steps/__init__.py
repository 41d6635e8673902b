"""One step a file: its parameters, which layers it needs and makes; the mathematics is in ``algo``."""
