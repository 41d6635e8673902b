"""A Spark session: Java, jars, class archive, settings, workers."""
