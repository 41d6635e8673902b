"""Make composites of products: ``spark-submit jobs/composite.py PIPELINE --input URI... --period P`` (as ``swath composite``)."""

import sys

from swath.cli.main import main

if __name__ == "__main__":
    main(["composite", *sys.argv[1:]])
