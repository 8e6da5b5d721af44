"""Incidents: what a person must look at, told once and remembered until it is over.

operations   OpenIncident, ResolveIncident, OpenIncidents
performer    keeps them in a store
app          on incident.opened: open it, and notify if it is new
"""
