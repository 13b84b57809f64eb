"""Stormcell: groups Prometheus alerts that belong to one problem while they arrive."""

__version__ = "0.1.0"
