"""Train a model: ``spark-submit jobs/train.py --input URI... --polygons FILE --recipe FILE --output DIR`` (``swath train``)."""

import sys

from swath.cli.main import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
