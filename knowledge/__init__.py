"""What the team knows: documents are read, split into passages, indexed and found again."""
