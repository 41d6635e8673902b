"""Tidy an output: ``spark-submit jobs/maintain.py OUTPUT [--retention-days N] ...`` (as ``swath maintain``)."""

import sys

from swath.cli.main import main

if __name__ == "__main__":
    main(["maintain", *sys.argv[1:]])
