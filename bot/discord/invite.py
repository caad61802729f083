"""The link that brings the bot into a server, with every permission that nod uses or will use, each with its reason."""

# Bits: discord-api-docs, topics/permissions.mdx. A permission added later means inviting the bot again: ask on the first day.
PERMISSIONS: dict[str, tuple[int, str]] = {
    "View Channels": (1 << 10, "to hear mentions in the channels it is in"),
    "Send Messages": (1 << 11, "to answer"),
    "Embed Links": (1 << 14, "to show sources below an answer"),
    "Attach Files": (1 << 15, "to send a file or a chart that somebody asked for"),
    "Read Message History": (1 << 16, "to reply to a message, and to answer what was asked while it was down"),
    "Add Reactions": (1 << 6, "to show that it has seen a question"),
    "Create Public Threads": (1 << 35, "to answer in a thread where a channel prefers that"),
    "Send Messages in Threads": (1 << 38, "to answer in threads and forum posts"),
}
SCOPES = ("bot", "applications.commands")


def invite_link(application_id: str) -> str:
    """Return the link for an application."""
    bits = sum(bit for bit, _ in PERMISSIONS.values())
    return f"https://discord.com/oauth2/authorize?client_id={application_id}&permissions={bits}&scope={'+'.join(SCOPES)}"
