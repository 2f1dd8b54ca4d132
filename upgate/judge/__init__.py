"""What it comes to: one check judged, causes, one run, and its rounds."""
