"""The fleet: what a team declares of its workloads and regions, and what is intended right now.

declaration   the models of fleet.yaml
load          reads fleet.yaml or fleet.json and names the line of every fault
rules         what no plan may break, as pure functions
register      the intended state of every workload and region, kept in a store
"""
