"""The served catalogue: PostgreSQL with pgSTAC."""
