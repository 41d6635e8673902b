"""Compiled Python of what commands load: an installer or an environment that keeps none makes every command two seconds slower.

``uv`` leaves packages as they are unless told otherwise, and with ``PYTHONDONTWRITEBYTECODE`` set Python compiles 1,800 modules
anew for each ``swath plan``.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

log = logging.getLogger("swath.prepare")
#: Modules that swath loads inside functions, beside those that its own modules load.
_LATER: Final = (
    "boto3", "botocore.auth", "botocore.session", "delta", "kubernetes.client", "lightgbm", "mlflow.tracking", "numba",
    "onnxruntime", "pandas", "psycopg", "py4j.java_gateway", "pyspark.daemon", "pyspark.sql", "pyspark.sql.pandas.types",
    "pyspark.worker", "pystac", "rasterio.warp", "rio_tiler.io", "scipy.ndimage", "shapely.geometry",
)  # fmt: skip
#: What the interpreter is given: it imports every module of a package and of a list, and passes over what is not installed.
_PROGRAM: Final = """
import contextlib, importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
found = [m.name for m in pkgutil.walk_packages(package.__path__, f"{sys.argv[1]}.") if not m.name.endswith("__main__")]
for name in [*found, *sys.argv[2:]]:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
"""
_TIMEOUT_S: Final = 300


def keep_bytecode(package: str = "swath", *, others: Sequence[str] = _LATER) -> bool:
    """Have Python keep the bytecode of all that a package loads, where the folders of modules can be written.

    Args:
        package: Package whose modules are all imported, in a process of their own.
        others: Modules that are imported too, where they are installed.

    Returns:
        Whether all of it was imported; if not, a warning says why.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _PROGRAM, package, *others]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        log.warning("Python modules: not compiled within %d s; commands start slower", _TIMEOUT_S)
        return False
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        log.warning("Python modules: not all compiled (%s); commands start slower", last)
        return False
    log.info("Python modules: compiled")
    return True
