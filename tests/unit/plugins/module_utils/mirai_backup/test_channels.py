"""Channels are found by tag, take a message side by side, and keep their URLs to themselves."""

from __future__ import annotations

import email
import email.policy
import time

import pytest
from mirai_backup import channels
from mirai_backup.channels import Message

MESSAGE = Message("FAILED 本番: x", "本文 body\n", "failure")
URLS = ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "mailto://ops:p%40ssword@mail.example.org")


@pytest.fixture
def configured(tmp_path, settings_of, monkeypatch):
    """Makes a configuration with alert URLs, and programs of these scripts in front of PATH."""

    def make(urls=URLS, mail=(), **scripts):
        (tmp_path / "bin").mkdir()
        for name, script in scripts.items():
            (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / "bin" / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
        lines = ["# a comment", *(f"channel{number}={url}" for number, url in enumerate(urls, 1))]
        (tmp_path / "alerts.conf").write_text("\n".join(lines) + "\n")
        return settings_of(alerts_config=str(tmp_path / "alerts.conf"), alert_mail=list(mail))

    return make


def test_found_by_tag_and_named_by_schema(configured):
    found = channels.find(configured(mail=["root"], sendmail="true"))
    assert [one.name for one in found] == ["channel1 (slack)", "channel2 (mailto)", "mail"]


def test_a_file_that_cannot_be_read_or_is_empty_keeps_no_mail_back(configured, tmp_path):
    config = configured((), ["root"], sendmail="cat > /dev/null")
    for words in ("names no channel", "cannot be read: No such file or directory"):
        deliveries = channels.send(config, channels.find(config), MESSAGE)
        assert [one.name for one in deliveries] == ["alerts_config", "mail"] and deliveries[1].failure == ""
        assert deliveries[0].failure == f"alerts_config {config.alerts_config} {words}"
        (tmp_path / "alerts.conf").unlink(missing_ok=True)


def test_apprise_gets_tag_and_title_in_argv_body_on_stdin_and_no_url(configured, tmp_path):
    config = configured(apprise=f'printf "%s\\n" "$@" >> {tmp_path}/argv$4; cat > {tmp_path}/body$4')
    assert [one.failure for one in channels.send(config, channels.find(config), MESSAGE)] == ["", ""]
    argv = (tmp_path / "argvchannel1").read_text().splitlines()
    assert argv == ["--config", config.alerts_config, "--tag", "channel1"] + [
        *("--title", MESSAGE.subject, "--notification-type", "failure", "--verbose")
    ]
    assert (tmp_path / "bodychannel2").read_text() == MESSAGE.body


def test_one_fails_one_hangs_and_neither_shows_its_url(configured):
    script = (
        f'[ "$4" = channel1 ] && exec sleep 30; echo "{URLS[1]} p@ssword mail.example.org refused: 550" >&2; exit 1'
    )
    config = configured(apprise=script)
    begun = time.monotonic()
    first, second = channels.send(config, channels.find(config), MESSAGE, timeout=1)
    assert time.monotonic() - begun < 10
    assert first.failure == "apprise did not finish within 1 s"
    assert second.failure == "apprise exited with status 1: ******** ******** ******** refused: 550"


def test_a_channel_that_breaks_off_once_gets_the_message_all_the_same(configured, tmp_path, monkeypatch):
    monkeypatch.setattr(channels, "_PAUSE", 0.1)
    config = configured(URLS[:1], apprise=f"cat >> {tmp_path}/body; [ -e {tmp_path}/again ] || ! : > {tmp_path}/again")
    (delivery,) = channels.send(config, channels.find(config), MESSAGE)
    assert delivery.failure == "" and (tmp_path / "body").read_text() == 2 * MESSAGE.body


def test_a_channel_is_not_tried_for_longer_than_its_time(configured, tmp_path, monkeypatch):
    monkeypatch.setattr(channels, "_PAUSE", 0.5)
    config = configured(
        URLS[:1], apprise=f"echo x >> {tmp_path}/tries; [ $(wc -l < {tmp_path}/tries) = 2 ] && exec sleep 30; exit 1"
    )
    (delivery,) = channels.send(config, channels.find(config), MESSAGE, timeout=1.5)
    assert delivery.failure.startswith("apprise did not finish within ")


def test_without_apprise_it_says_so(configured):
    config = configured(URLS[:1])
    (delivery,) = channels.send(config, channels.find(config), MESSAGE)
    if delivery.failure.startswith("apprise cannot be started"):
        return
    assert delivery.failure.startswith("apprise exited")  # a real one, which knows no such workspace


def test_local_mail_is_a_mail(configured, tmp_path):
    config = configured((), ["root", "ops@example.org"], sendmail=f'echo "$@" > {tmp_path}/argv; cat > {tmp_path}/mail')
    (_file, delivery) = channels.send(config, channels.find(config), MESSAGE)
    assert delivery == channels.Delivery("mail", "")
    mail = email.message_from_bytes((tmp_path / "mail").read_bytes(), policy=email.policy.default)
    assert (mail["To"], mail["Subject"]) == ("root, ops@example.org", MESSAGE.subject)
    assert mail.get_content() == MESSAGE.body and (tmp_path / "argv").read_text() == "-oi -t\n"


def test_secrets_are_urls_passwords_and_tokens_and_no_plain_words(configured):
    found = channels.secrets(configured((*URLS, "json://localhost:8080/alerts")))
    for expected in (*URLS, "TIiajkdnlazkcOXrIdevi7FQ", "A1BRTD4JD", "p%40ssword"):
        assert expected in found
    assert not {"localhost", "8080", "alerts", "mail.example.org"} & set(found)
