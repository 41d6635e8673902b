"""``python -m swath.spark.prepare``: bring what a JVM needs on this machine."""

import sys

from swath.spark.start.prepare import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
