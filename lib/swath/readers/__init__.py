"""Sensor metadata to a Scene; windowed reads of its bands."""
