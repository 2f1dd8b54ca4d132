"""What a baseline keeps of a cluster, to be compared part by part: `inventory` has them all.

Each part is a relation: it needs some lists, and its `states` say by object what later is compared. The states are small, are
made from one snapshot alone, and hold no names that an upgrade changes.
"""
