"""nod in Discord: listeners (in), platform and render (out), connection (start, stop)."""
