"""One `Results`, four renderings: pure functions from results to text or bytes, and `writing`, which puts them on disk."""
