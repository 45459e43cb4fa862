"""Measures the servers that a project can run on; README.md tells how to read the figures."""
