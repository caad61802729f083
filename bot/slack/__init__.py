"""nod in Slack: listeners (in), posting and render (out), connection (start, stop)."""
