"""The built-in chains: each is an app, usable alone, with its policy taken from the fleet."""
