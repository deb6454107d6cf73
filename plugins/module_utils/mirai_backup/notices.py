# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words of LATEST_BACKUP.txt and of alerts, in both languages.

Causes, next steps and warnings are put into them as the engine says them, in English.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

WORDS = {
    "en": {
        "latest": "Latest backup",
        "kind": "Kind",
        "file": "File",
        "finished": "Finished",
        "size": "Size",
        "duration": "Duration",
        "restore_with": "Restore with",
        "warning": "Warning",
        "what": "What",
        "what_ran": "{title} of {application} on {host}",
        "result": "Result",
        "result_said": "{result}, exit code {code}, {time}",
        "ok": "ok",
        "incomplete": "incomplete",
        "failed": "failed",
        "took": "Took",
        "backup_id": "Backup",
        "cause": "Cause",
        "next_step": "Next step",
        "problem": "Problem",
        "last_good": "Last good",
        "good_said": "{id} ({halves}), {age} old, {path}",
        "halves": "{0} and {1}",
        "good_none": "there is none",
        "good_unknown": "unknown: {why}",
        "repository": "Repository",
        "log": "Log",
        "test_subject": "alerts of mirai-backup",
        "test": "This is a test of the alerts of {application} on {host}.\nNothing has happened.\n",
        "title": "{verb} {kind}",
        "backup": "backup",
        "drill": "drill",
        "restore": "restore",
        "rollback": "rollback",
        "full": "full",
        "database": "database",
        "json": "json",
    },
    "ja": {
        "latest": "最新バックアップ",
        "kind": "種類",
        "file": "ファイル",
        "finished": "完了日時",
        "size": "サイズ",
        "duration": "所要時間",
        "restore_with": "リストア方法",
        "warning": "警告",
        "what": "対象",
        "what_ran": "{host} の {application} の{title}",
        "result": "結果",
        "result_said": "{result}（終了コード {code}、{time}）",
        "ok": "正常",
        "incomplete": "不完全",
        "failed": "失敗",
        "took": "所要時間",
        "backup_id": "バックアップ",
        "cause": "原因",
        "next_step": "次の手順",
        "problem": "問題",
        "last_good": "直近の正常",
        "good_said": "{id}（{halves}、{age} 前、{path}）",
        "halves": "{0}と {1}",
        "good_none": "なし",
        "good_unknown": "不明: {why}",
        "repository": "保存先",
        "log": "ログ",
        "test_subject": "mirai-backup のアラート",
        "test": "{host} の {application} のアラートの試験送信です。\n何も起きていません。\n",
        "title": "{verb}（{kind}）",
        "backup": "バックアップ",
        "drill": "リストア訓練",
        "restore": "リストア",
        "rollback": "ロールバック",
        "full": "完全",
        "database": "データベース",
        "json": "JSON",
    },
}


def say(language: str, key: str, *values: object, **named: object) -> str:
    """The words ``key`` in ``language`` (``en`` or ``ja``), filled in."""
    return WORDS[language][key].format(*values, **named)


def title(language: str, verb: str, kind: str) -> str:
    """What ran, such as ``backup full``; ``kind`` may be empty."""
    words = WORDS[language]
    return say(language, "title", verb=words[verb], kind=words[kind]) if kind else words[verb]


def lines(language: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    """A line for each key and value, the values one under the other."""
    labels = [(f"{say(language, key)}:", value) for key, value in rows]
    width = max((_columns(label) for label, _value in labels), default=0) + 1
    return [f"{label}{' ' * (width - _columns(label))}{value}" for label, value in labels]


def _columns(words: str) -> int:
    """How wide a terminal shows ``words``."""
    return sum(2 if unicodedata.east_asian_width(one) in "FW" else 1 for one in words)
