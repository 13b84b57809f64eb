"""Measurements that are tracked and never gate: what they say depends on the machine."""
