"""Leaves: they import nothing above them."""
