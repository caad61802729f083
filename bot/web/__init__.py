"""The web page as a platform: chat with votes, review, knowledge. One module and one template folder per page."""
