"""The words every part of nod shares; imports nothing of ours."""

__version__ = "0.1.0"
