"""Discover and ingest scenes: ``spark-submit jobs/ingest.py --input URI... --output URI``; known scenes are not added again."""

import sys

from swath.cli.main import main

if __name__ == "__main__":
    main(["ingest", *sys.argv[1:]])
