"""``python -m swath.cli``."""

from swath.cli.main import main

main()
