"""Where facts come from: a live cluster, probes from outside, the hosts, a saved file, or the demo."""
