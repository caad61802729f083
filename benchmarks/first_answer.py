"""How long from a 30-page Korean PDF to the first answer that cites it, without a model: `python -m benchmarks.first_answer`.

A nod of its own is started as people start it. One file is learnt in the terminal (`nod ingest FILE`), one is uploaded on the page; each
is then asked about with `nod ask`. Both are made up; what is asked stands on page 18.
"""

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np

from benchmarks.home import Home
from benchmarks.stacks import BIN, ROOT, until_ready
from benchmarks.synthetic import vocabularies
from tests.knowledge.files import pdf

PAGES, LINES, WORDS = 30, 44, 9
ANSWER_PAGE = 18
FILES = {
    "terminal": ("출장비 정산은 귀국일로부터 14일 안에 전자결재로 올려야 한다.", "출장비 정산은 며칠 안에 올려?"),
    "page": ("기념품 구입은 분기마다 30만 원까지 총무팀이 승인한다.", "기념품 구입은 얼마까지 승인돼?"),
}


def document(sentence: str, seed: int) -> bytes:
    """Return a PDF of made-up words with a sentence in the middle of a page."""
    rng = np.random.default_rng(seed)
    korean = next(words for words in vocabularies(rng) if re.fullmatch("[가-힣]+", words.words[0]))
    pages = [[f"제{n}장", *(" ".join(korean.words[korean.draw(rng, WORDS)]) for _ in range(LINES))] for n in range(1, PAGES + 1)]
    pages[ANSWER_PAGE - 1][LINES // 2] = sentence
    return pdf(*pages)


def learnt_in_terminal(home: Home, file: Path) -> None:
    """Learn a file."""
    subprocess.run([BIN / "nod", "ingest", str(file)], cwd=ROOT, env=home.env, check=True, capture_output=True)


def signed_in(home: Home) -> httpx.Client:
    """Return an admin's browser."""
    link = home.run("link")["url"]
    http = httpx.Client(base_url=link.partition("/in/")[0], trust_env=False, follow_redirects=True)
    shown = http.post(link).text
    http.headers.update({"X-CSRF-Token": re.findall(r'data-csrf="([^"]+)"', shown)[0], "HX-Request": "true"})
    return http


def uploaded(http: httpx.Client, file: Path) -> None:
    """Upload a file on the page, as its script does, and wait until it is learnt."""
    given = http.post("/knowledge/files", files={"files": (file.name, file.read_bytes())}, data={"scope": "everyone"})
    while address := re.findall(r'hx-get="([^"]+)"', given.text):
        time.sleep(0.1)
        given = http.get(address[0].replace("&amp;", "&"))


def asked(home: Home, question: str, sentence: str) -> int:
    """Ask in the terminal; return the page of the source that says the sentence. Raises RuntimeError when none does."""
    said = subprocess.run([BIN / "nod", "ask", question, "--json"], cwd=ROOT, env=home.env, check=True, capture_output=True, text=True)
    answer = json.loads(said.stdout)
    for source in answer["sources"]:
        if sentence in " ".join(source["passage"].split()) and f"[{source['n']}]" in answer["answer"]:
            return int(source["page"])
    raise RuntimeError(f"the answer does not cite it: {answer}")


def _cpu_seconds() -> float:
    """Return the CPU of the commands that have ended; of nod itself, which runs on, nothing is in it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a line for each way."""
    with tempfile.TemporaryDirectory(prefix="nod-bench-") as name:
        home = Home(Path(name), {})
        try:
            home.start()
            until_ready(home.started, home.env)
            with closing(signed_in(home)) as http:
                for seed, (way, (sentence, question)) in enumerate(FILES.items()):
                    file = Path(name) / f"{way}.pdf"
                    file.write_bytes(document(sentence, seed))
                    began, cpu = time.monotonic(), _cpu_seconds()
                    learnt_in_terminal(home, file) if way == "terminal" else uploaded(http, file)
                    learnt = time.monotonic() - began
                    page = asked(home, question, sentence)
                    print(
                        f"{way}: learnt after {learnt:.1f} s, answered from page {page} after {time.monotonic() - began:.1f} s "
                        f"({_cpu_seconds() - cpu:.1f} s of CPU in the commands)", flush=True,
                    )  # fmt: skip
        finally:
            home.stop()


if __name__ == "__main__":
    sys.exit(main())
