"""After `restore.yml -e backup=latest` the application holds what it held before the damage."""

testinfra_hosts = ["ansible://mirai"]


def test_the_damage_was_real(run):
    assert run("cat /root/before.state") != run("cat /root/damaged.state")


def test_both_halves_are_back(run):
    assert run("application-state") == run("cat /root/before.state")


def test_the_application_can_use_its_database(run):
    run(
        "source backend/.env; psql -v ON_ERROR_STOP=1 -d $DATABASE_URL "
        "-c 'CREATE TABLE public.try (id int); DROP TABLE public.try'"
    )


def test_previous_state_is_kept_and_listed(run, mirai_backup):
    databases = run("runuser -u postgres -- psql -AtXc 'SELECT datname FROM pg_database'").split()
    assert [name for name in databases if name.startswith("mirai_knowledge_db_before_")]
    assert "data_before_" in run("ls backend")
    assert mirai_backup("--json", "list")["previous_states"]
