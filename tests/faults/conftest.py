"""Tests of faults are also a program (``python -m tests.faults``): its modules are found from the root of the checkout."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)
