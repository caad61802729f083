"""Where sentences end, in Korean and English."""

import re

# After a stop, closing marks belong to the sentence. A stop ends it before white space; after Hangul also right before Hangul or a
# capital (Korean is often typed so). Line ends are ends too: headings, list items and lines of a table are no sentence with the next.
_END = re.compile(r"""(?:[.!?…]+["'”’»)\]」』]*(?=\s)|(?<=[가-힣])[.!?]+["'”’)\]」』]*(?=[가-힣A-Z])|[。！？]+[”’」』）]*|\n)\s*""")
_NO_END = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|cf|No|Nos|Fig|Figs|Eq|Sec|Ch|Vol|pp?|approx|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr"
    r"|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|U\.S|a\.m|p\.m)\.\s*$"
)
_NUMBER = re.compile(r"(?:^|\n)\s*\(?\d{1,3}\.\s*$")  # "3. Then press…": the number belongs to what follows


def sentences(text: str) -> list[str]:
    """Return the sentences of a text with the white space after each: joined they are the text again."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        so_far = text[start : end.end()]
        if "\n" not in end.group() and (_NO_END.search(so_far) or _NUMBER.search(so_far)):
            continue
        found.append(so_far)
        start = end.end()
    if start < len(text):
        found.append(text[start:])
    return found
