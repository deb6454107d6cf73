"""manual: every verb says what it does, with examples that the parser takes."""

import argparse
import shlex

from mirai_backup import arguments, manual


def verbs() -> dict:
    root = arguments.parser("/etc/x.json")
    (action,) = [one for one in root._actions if isinstance(one, argparse._SubParsersAction)]
    return action.choices


def test_every_verb_is_described_and_no_other():
    assert list(manual.VERBS) == list(verbs())
    for name, verb in verbs().items():
        assert verb.description and "examples:" in verb.epilog, name


def test_every_example_is_a_command_of_its_verb():
    for name, entry in manual.VERBS.items():
        for command, comment in entry.examples:
            program, *words = shlex.split(command)
            assert program == "mirai-backup" and comment
            assert arguments.parser("/etc/x.json").parse_args(words).verb == name


def test_nothing_is_made_up_of_a_verb_that_is_not_there():
    assert manual.description("fly") == manual.examples("fly") == ""
