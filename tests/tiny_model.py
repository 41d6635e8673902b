"""A model of two classes and two bands, and samples that tell them apart."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from swath.cli.models import models_group
from swath.inference.forest import Forest
from swath.training.recipe import TrainingRecipe

#: One tree a class: a stump on the second feature at 0.5.
STUMPS = Forest(
    child=np.array([1, 1, 2] * 2, dtype=np.uint16),
    feature=np.array([1, 0, 0] * 2, dtype=np.uint8),
    threshold=np.array([0, 255, 255] * 2, dtype=np.uint8),
    value=np.array([0.0, 2.0, -2.0, 0.0, -2.0, 2.0]),
    tree_offset=np.array([0, 3, 6], dtype=np.int64),
    cut=np.array([0.5], dtype=np.float32),
    cut_offset=np.array([0, 0, 1], dtype=np.int64),
    outputs=2,
)

BANDS = ["red", "nir08"]
RECIPE = TrainingRecipe.of(
    {
        "name": "tiny",
        "title": "Tiny",
        "licence": "Apache-2.0",
        "features": {"of": "toa", "bands": BANDS},
        "forest": {"trees": 5, "leaves": 4},
        "splits": 2,
        "classes": [
            {"value": 1, "name": "low", "title": "Low", "rgb": [0, 0, 200]},
            {"value": 2, "name": "high", "title": "High", "rgb": [0, 200, 0]},
        ],
    }
)


def samples(levels: Mapping[str, float], *, seed: int, polygons: int = 5, pixels: int = 40) -> pd.DataFrame:
    """Reflectance around a level for each class, so many polygons of each."""
    random = np.random.default_rng(seed)
    rows = [
        {"scene_id": "S", "polygon_id": f"{label}{n}", "label": label, "row": n, "col": i}
        | dict(zip(BANDS, (level + random.normal(0.0, 0.03, 2)).tolist(), strict=True))
        for label, level in levels.items()
        for n in range(polygons)
        for i in range(pixels)
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(BANDS, "float32"))


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A private key and its public one, in files of their own."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def swath_models(*words: object) -> str:
    """``swath models ...``: what it prints; its error, when it has one."""
    done = CliRunner().invoke(models_group, [str(w) for w in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output
