"""nod in Slack: listeners (in), platform and render (out), connection (start, stop)."""
