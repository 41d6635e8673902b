"""ONNX Runtime, loaded so that it tells no one what it runs.

Its wheels for Linux (seen in 1.32.0) look up ``mobile.events.data.microsoft.com`` from every process that loads them, and report
sessions there; the variable is its own way to say no, and counts only before the library is loaded.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

__all__ = ["onnxruntime"]
