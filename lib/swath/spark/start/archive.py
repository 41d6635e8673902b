"""The JVM's class archive: Spark's classes parsed once at set-up, mapped into memory at every start.

It belongs to one exact Java and set of jars. The JVM checks that itself and goes on without it when they differ, so an
archive can only help (see "Class data sharing" in the Java documentation).
"""

import hashlib
from pathlib import Path

from swath.spark.start.jars import cache_folder, spark_home

#: The JVM would tell standard output why an archive does not fit.
_SILENT = "-Xshare:auto -Xlog:disable"


def archive_path(java_home: Path) -> Path:
    """Where the archive for this Java and these jars is, or would be."""
    jars = sorted((spark_home() / "jars").glob("*.jar"))
    told = [(java_home / "release").read_text(encoding="utf-8")] if (java_home / "release").is_file() else [str(java_home)]
    for jar in jars:
        found = jar.stat()
        told.append(f"{jar} {found.st_size} {found.st_mtime_ns}")
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()
    return cache_folder() / "jvm" / f"{digest[:12]}.jsa"


def reading_options(java_home: Path) -> str:
    """JVM options that use the archive; empty when there is none."""
    path = archive_path(java_home)
    return f"{_SILENT} -XX:SharedArchiveFile={path}" if path.is_file() else ""


def writing_options(path: Path) -> str:
    """JVM options that write the classes which this JVM loaded into an archive when it ends."""
    return f"{_SILENT} -XX:ArchiveClassesAtExit={path}"
