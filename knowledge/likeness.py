"""How alike two questions are, by the words that tell what is asked: no model, Korean and English, a loanword in either script."""

from dataclasses import dataclass

from knowledge.analyse import AskedWord, asked_words


@dataclass(frozen=True, slots=True)
class Gist:
    """A question as the words that tell what it is about; `plain` is all of it, for one that has none."""

    words: tuple[AskedWord, ...]
    plain: str

    @property
    def terms(self) -> frozenset[int | str]:
        """What a question that is alike has at least one of."""
        return frozenset({self.plain}).union(*(word.terms.union(*word.others) for word in self.words))

    def likeness(self, other: "Gist") -> float:
        """Return what two questions share, from 0 to 1: twice the words of both over the words of each (Dice)."""
        if self.plain == other.plain:
            return 1.0
        if not self.words or not other.words:
            return 0.0
        shared = sum(max(word.likeness(theirs) for theirs in other.words) for word in self.words)
        back = sum(max(word.likeness(ours) for ours in self.words) for word in other.words)
        return (shared + back) / (len(self.words) + len(other.words))


def gist_of(question: str) -> Gist:
    """Return the gist of a question."""
    return Gist(asked_words(question), "".join(question.casefold().split()).rstrip("?!.~？！。"))
