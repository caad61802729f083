"""Answers questions, off the chat process: claim, remember, search, ask the model, commit, announce."""
