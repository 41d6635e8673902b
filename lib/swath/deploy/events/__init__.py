"""Deliveries that are announced: messages of a queue, each deleted when its scene has a row."""
