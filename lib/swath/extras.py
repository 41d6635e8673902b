"""What a command needs beyond the base of the package, and how to install it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Extras of the package by the module that only they bring; ``requirements.in`` lists what each installs.
EXTRA_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "boto3": "s3",
        "botocore": "s3",
        "cryptography": "models",
        "google": "models",
        "jsonschema": "stac",
        "kubernetes": "kubernetes",
        "lightgbm": "train",
        "matplotlib": "train",
        "mlflow": "models",
        "model_signing": "models",
        "onnx": "models",
        "openlineage": "lineage",
        "onnxruntime": "models",
        "psycopg": "catalog",
        "pyogrio": "train",
        "pypgstac": "catalog",
        "pystac": "stac",
        "pystac_client": "stac",
        "referencing": "stac",
        "requests": "stac",
        "rio_cogeo": "stac",
        "rio_tiler": "view",
        "sqlalchemy": "models",
        "starlette": "view",
        "torch": "unet",
        "tenacity": "catalog",
        "urllib3": "kubernetes",
        "uvicorn": "view",
    }
)


def remedy(error: ModuleNotFoundError) -> str | None:
    """What to install for a module that is missing; None where no extra brings it."""
    module = (error.name or "").partition(".")[0]
    extra = EXTRA_OF.get(module)
    return None if extra is None else f"this needs {module}, which is not installed: pip install 'swath[{extra}]'"
