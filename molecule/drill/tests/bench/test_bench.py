"""The bench on the drill host: every sabotage is found out by name, every healthy oddity passes, none is left out."""

import json
import re
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "files" / "bench"
sys.path.insert(0, str(BENCH))
import bench

testinfra_hosts = ["ansible://mirai-drill-trixie"]


@pytest.fixture(scope="module")
def documents(host):
    """What the bench printed: a document for every case, by kind and name."""
    result = host.run("python3 /root/bench/bench.py all")
    assert result.rc == 0, result.stderr
    return json.loads(result.stdout)


def test_every_case_was_run(documents):
    """At least twenty kinds of sabotage and twenty healthy variants, all that the bench has."""
    assert set(documents["sabotage"]) == set(bench.SABOTAGES)
    assert set(documents["healthy"]) == set(bench.VARIANTS)
    assert len(documents["sabotage"]) >= 20
    assert len(documents["healthy"]) >= 20
    print(f"{len(documents['sabotage'])} kinds of sabotage, {len(documents['healthy'])} healthy variants")


@pytest.mark.parametrize("kind", bench.SABOTAGES)
def test_sabotage_fails_and_is_named(documents, kind):
    document = documents["sabotage"][kind]
    assert (document["exit"], document["verdict"]) == (2, "fail"), document
    assert any(re.search(document["names"], line) for line in document["differences"]), document


@pytest.mark.parametrize("variant", bench.VARIANTS)
def test_a_healthy_oddity_passes(documents, variant):
    document = documents["healthy"][variant]
    assert (document["exit"], document["verdict"]) == (0, "pass"), document
