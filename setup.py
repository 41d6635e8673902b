"""Packaging: the importable code lies under lib/, plug-ins and the command are entry points."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def _version() -> str:
    lines = (ROOT / "lib" / "swath" / "__init__.py").read_text(encoding="utf-8").splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("__version__"))


def _requirements() -> dict[str, list[str]]:
    """Requirements by extra; those of the base by the empty name."""
    found: dict[str, list[str]] = {"": []}
    extra = ""
    for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines():
        if line.startswith("# ["):
            extra = line[3 : line.index("]")]
        elif line.strip() and not line.startswith("#"):
            found.setdefault(extra, []).append(line)
    return found


BY_EXTRA = _requirements()
BASE = BY_EXTRA.pop("")
EXTRAS = {
    **BY_EXTRA,
    "emr": BY_EXTRA["s3"],
    "train": [*BY_EXTRA["models"], *BY_EXTRA["train"]],
    # `swath view`; not in the images.
    "view": ["rio-tiler", "starlette", "uvicorn"],
    # Events of OpenLineage; in images of those who want them.
    "lineage": ["openlineage-python==1.54.0"],
}
EXTRAS["all"] = sorted({requirement for listed in EXTRAS.values() for requirement in listed})
# Images copy this file without the tests' requirements.
TESTS = ROOT / "requirements-test.in"
# Cloud models that others publish: their files become model folders (`swath models fetch`). In no lock and no image of ours.
# U-Nets are fitted by PyTorch: gigabytes that a run of the network never needs. In no lock and no image of ours.
EXTRAS["unet"] = [*EXTRAS["train"], "torch>=2.6"]
EXTRAS |= {"csmask": ["ukis-csmask==1.0.0"], "s2cloudless": ["s2cloudless==1.7.3"]}
EXTRAS["dev"] = [*EXTRAS["all"], *(TESTS.read_text(encoding="utf-8").split() if TESTS.exists() else [])]

setup(
    name="swath",
    version=_version(),
    description="Raw satellite scenes in, trusted analysis-ready products out: a suite of PySpark jobs",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    keywords="satellite landsat sentinel-2 surface-reflectance cog stac spark delta",
    classifiers=[
        "Environment :: Console",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: GIS",
    ],
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    package_dir={"": "lib"},
    packages=find_packages("lib"),
    package_data={
        "swath": [
            "**/*.properties",
            "**/*.xml",
            "**/*.html",
            "**/*.j2",
            "**/*.css",
            "**/*.js",
            "**/*.mjs",
            "**/*LICENSE.txt",
            "**/*.svg",
            "**/*.json",
            "**/*.csv",
            "**/*.yaml",
        ]
    },
    data_files=[
        ("share/swath/conf/pipelines", sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("conf/pipelines/*.yaml"))),
        ("share/swath/conf/composites", sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("conf/composites/*.yaml"))),
        ("share/swath/conf/sites", sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("conf/sites/*.yaml"))),
        ("share/swath/conf/jobs", sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("conf/jobs/*.yaml"))),
        *((f"share/swath/models/{p.parent.name}", [str(p.relative_to(ROOT))]) for p in sorted(ROOT.glob("models/*/recipe.yaml"))),
    ],
    install_requires=BASE,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": ["swath=swath.cli.start:main"],
        "swath.steps": [],
        "swath.readers": [],
    },
)
