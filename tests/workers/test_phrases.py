"""What a worker says itself exists in both languages."""

from string import Formatter

from workers.quotes import PHRASES


def test_every_phrase_is_there_in_both_languages_with_the_same_places() -> None:
    assert PHRASES.keys("en") == PHRASES.keys("ko")
    for key in PHRASES.keys("en"):  # not a dict
        places = [{name for _, name, _, _ in Formatter().parse(PHRASES._tables[language][key]) if name} for language in ("en", "ko")]
        assert places[0] == places[1], key
