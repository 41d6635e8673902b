"""Options of the launcher ``java`` for JVMs whose settings belong to a site: they live for one small run, and start sooner."""

from swath.spark.start.archive import reading_options
from swath.spark.start.java import find_java
from swath.spark.start.settings import FAST_START


def quick_jvm() -> dict[str, str]:
    """The variable that a JVM of a test is started with: what swath's own local sessions have, and no rendering says.

    Returns:
        ``JDK_JAVA_OPTIONS`` with one compiler tier and, where set-up made it, the class archive; what the command line says
        comes after it and holds.
    """
    java = find_java()
    return {"JDK_JAVA_OPTIONS": " ".join(o for o in (FAST_START, reading_options(java) if java else "") if o)}
