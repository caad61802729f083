"""What the team thought: votes, reviews, and the files they leave as."""
