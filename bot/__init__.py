"""Where people meet nod: hear a message, show an answer."""
