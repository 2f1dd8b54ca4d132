"""The upgrade gate: a pytest battery that tells whether a Kubernetes cluster is all right after an upgrade."""

__version__ = "0.1.0"
