"""Dusty: a local environment compiled from specs and launched with Docker Compose."""

__version__ = "0.1.0"
