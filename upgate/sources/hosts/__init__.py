"""The machines: one ssh connection to each reads all facts. Looking and judging are separated.

presets    where each kind of cluster keeps its files and services on a machine
targets    which machines there are, and what is demanded of each
script     the command that is run there: gather.sh, for any login shell
transport  one bounded command (reading); the only importer of testinfra   (looks)
looking    all machines at once, within limits                             (looks)
sections   the answer, split at its marks; an incomplete answer is rejected
parsing    sections → facts (services, sockets, commands, manifests, logs, certificates), within limits (numbers, texts)
judging    facts + demands → what is wrong, in words
"""
