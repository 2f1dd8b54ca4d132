"""The place for fixtures of your own: checks and plain tests below this folder can take them as parameters.

The inputs of checks (`nodes`, `pods`, …: `upgate nouns`) are fixtures already.
"""
