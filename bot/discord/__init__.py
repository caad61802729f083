"""Discord: hear and show."""
