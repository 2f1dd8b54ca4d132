"""Bytes become small typed facts, with only the fields that checks read.

The structs mirror the Kubernetes API's own field names (camelCase in JSON, snake_case here), so that a fact is read like
the API reference and a snapshot file like `kubectl get -o json`.
"""
