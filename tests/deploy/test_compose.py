"""What people deploy: the compose file is valid, and keeps what nod's promises rest on."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLES = ("web", "worker", "slack", "discord")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]


def test_the_compose_file_is_valid_by_the_compose_specification():
    checked = subprocess.run(
        [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_time_to_finish_its_answers_and_a_health_check(services, role):
    assert services[role]["stop_grace_period"] == "40s"
    assert services[role]["healthcheck"]["test"] == ["CMD", "nod", "health", "--role", role]
    assert services[role]["command"] == ["nod", role]


@pytest.mark.parametrize("role", [*ROLES, "migrate"])
def test_nothing_of_ours_runs_as_root(services, role):
    assert services[role]["user"] == "1000:1000"
    assert services[role]["cap_drop"] == ["ALL"]


def test_the_tables_are_migrated_before_anybody_starts(services):
    for role in ROLES:
        assert services[role]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_redis_writes_to_disk_and_never_evicts(services):
    command = services["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
