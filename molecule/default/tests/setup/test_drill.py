"""The first backup passes a drill in a throwaway server of the host's own PostgreSQL."""


def test_the_first_backup_passes_a_drill(host, run, mirai_backup):
    drill = mirai_backup("--json", "drill")
    assert drill["verdict"] == "pass"
    verdicts = {check["name"]: check["verdict"] for check in drill["checks"]}
    assert verdicts.pop("assertions") == "not_configured"
    assert set(verdicts.values()) == {"pass"}
    for name in ("drill.json", "junit.xml", "report.html"):
        assert host.file(f"{drill['directory']}/{name}").is_file
    assert run("find /var/tmp -maxdepth 1 -name 'mirai-drill-*'") == ""
    assert mirai_backup("--json", "info", "latest-verified")["backup"]["id"] == drill["backup"]["id"]
