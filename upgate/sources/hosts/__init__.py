"""The machines themselves: one pass over ssh for each, all facts at once. Looking and judging are separated.

presets    where each kind of cluster keeps things on a machine
targets    which machines there are, and what is demanded of each
script     what is run there: gather.sh, for any login shell
transport  one bounded command (reading); the only importer of testinfra   (looks)
looking    all machines at once, within bounds                             (looks)
sections   the answer, cut at its marks; not whole is not known
parsing    sections → facts (services, sockets, commands, manifests, logs, certificates), within bounds (numbers, texts)
judging    facts + demands → what is wrong, in words
"""
