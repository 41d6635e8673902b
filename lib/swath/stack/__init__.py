"""One composite of many dates, from its plan to its item, without Spark."""
