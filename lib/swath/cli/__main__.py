"""``python -m swath.cli``."""

from swath.cli.start import main

main()
