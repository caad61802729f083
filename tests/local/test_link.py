"""`nod link` names the page where it really is, whatever port this shell would have chosen."""

import json
import subprocess

import pytest

from tests.warm import NOD


@pytest.mark.parametrize(("web", "begins"), [("http://127.0.0.1:8178", "http://127.0.0.1:8178/in/"), ("", "http://127.0.0.1:8130/in/")])
def test_a_link_leads_to_the_page_that_runs(process_env, data_dir, tmp_path, web, begins):
    services = data_dir / "run" / "services.json"
    known = {"pid": 1, "since": "2026-11-21T10:00:00+00:00", "web": web, "processes": [], "servers": []}
    services.write_text(json.dumps(json.loads(services.read_text()) | known))
    made = subprocess.run([NOD, "link", "--json"], env=process_env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(made.stdout)["url"].startswith(begins)
