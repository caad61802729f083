"""A setting that cannot be is said in our own words, in Korean and English."""

import pytest

from nod.errors import ConfigError
from nod.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("name", "value", "en", "ko"),
    [
        ("NOD_WEB_PORT", "abc", "write a whole number", "정수로 적어 주세요"),
        ("NOD_WEB_PORT", "8130.5", "write a whole number", "정수로 적어 주세요"),
        ("NOD_WEB_PORT", "70000", "write 65535 or less", "65535 이하로 적어 주세요"),
        ("NOD_WORKERS", "0", "write 1 or more", "1 이상으로 적어 주세요"),
        ("NOD_DAILY_LIMIT", "five", "write a number", "숫자로 적어 주세요"),
        ("NOD_DAILY_LIMIT", "inf", "write a number", "숫자로 적어 주세요"),
        ("NOD_ACROSS_LANGUAGES", "perhaps", "write true or false", "true나 false로 적어 주세요"),
        ("NOD_LOG_FORMAT", "xml", "write one of json, console", "이 가운데 하나로 적어 주세요: json, console"),
        ("NOD_GIT_TOKENS", "ghp_1", "write it as HOST=TOKEN, such as", "호스트=토큰으로 적고"),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_the_readers_language(tmp_path, monkeypatch, name, value, en, ko):
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.setenv(name, value)
    for language, sentence in (("en", en), ("ko", ko)):
        monkeypatch.setenv("NOD_LANGUAGE", language)
        with pytest.raises(ConfigError) as said:
            load_settings()
        assert sentence in str(said.value)
        assert "Input should" not in str(said.value)
        assert name in str(said.value)
