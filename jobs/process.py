"""Make products of scenes: ``spark-submit jobs/process.py PIPELINE --input URI... --output URI`` (as ``swath run``)."""

import sys

from swath.cli.main import main

if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
