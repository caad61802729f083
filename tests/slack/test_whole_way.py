"""The whole way in Slack: a document, a mention, a streamed answer with its source, a thumb, and the row that leaves."""

import json
import subprocess
from pathlib import Path

from tests import warm
from tests.fakes.model import FakeModel
from tests.fakes.slack import FakeSlack
from tests.roles import Roles, until

ANSWER = "연차는 다섯 날까지 이월할 수 있고, 이월한 날은 이듬해 3월 31일까지 써야 해요 [1]. 반차는 반나절로 세어요."


def run(nod: Roles, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return warm.run(words, env=nod.env, cwd=folder)


def test_from_a_mention_to_a_training_row(nod: Roles, slack: FakeSlack, agent: FakeModel, tmp_path: Path) -> None:
    (tmp_path / "휴가 규정.md").write_text(
        "# 휴가 규정\n\n## 이월\n\n연차는 5일까지 다음 해로 이월할 수 있다. 3월 31일까지 쓴다.\n", "utf-8"
    )
    assert run(nod, tmp_path, "ingest", "휴가 규정.md").returncode == 0

    agent.will_stream(ANSWER, tokens=40, first_after=0.3, every=0.05)
    asked = slack.hears("@nod 연차 이월 돼?", user="U1")
    reply = slack.wait_reply("C1", asked, timeout=20, when=lambda message: bool(message.buttons))
    assert len(reply.growths) >= 3
    first_shown = next(state["at"] for state in reply.states if state["shown"])
    assert first_shown < (agent.calls[-1].last_token_at or 0)
    assert ANSWER.partition("[1]")[0] in reply.shown
    assert "휴가 규정" in json.dumps(reply.blocks, ensure_ascii=False)
    assert "5일까지 다음 해로" in json.dumps(agent.prompts[-1], ensure_ascii=False)

    slack.reacts("C1", reply.ts, "thumbsup::skin-tone-4", user="U1")

    def voted() -> list[dict[str, str]]:
        return [row for row in json.loads(run(nod, tmp_path, "feedback", "list", "--json").stdout) if row["vote"] == "up"]

    [vote] = until(voted, 15, "the vote", nod.logs)
    assert (vote["question"], vote["platform"], vote["language"]) == ("연차 이월 돼?", "slack", "ko")

    refused = run(nod, tmp_path, "feedback", "export", "--format", "trl-kto", "--out", "kto.jsonl")
    assert refused.returncode == 1
    assert "1 from Slack, which is not allowed" in refused.stderr
    assert "Slack's API terms" in refused.stderr
    assert "nod feedback allow slack" in refused.stderr
    assert not (tmp_path / "kto.jsonl").exists()

    assert run(nod, tmp_path, "feedback", "allow", "slack").returncode == 0
    assert run(nod, tmp_path, "feedback", "export", "--format", "trl-kto", "--out", "kto.jsonl").returncode == 0
    [row] = [json.loads(line) for line in (tmp_path / "kto.jsonl").read_text("utf-8").splitlines()]
    assert row["label"] is True
    assert row["completion"] == [{"role": "assistant", "content": ANSWER}]
    assert [message["role"] for message in row["prompt"]][:2] == ["system", "user"]
    assert run(nod, tmp_path, "feedback", "export", "--format", "csv", "--out", "votes.csv").returncode == 0
