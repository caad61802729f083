"""The terminal as a platform: `nod ask`."""
