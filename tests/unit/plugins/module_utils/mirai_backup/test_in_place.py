"""in_place: the script that pg_restore writes, without its own end."""

from __future__ import annotations

import pytest
from mirai_backup import in_place
from mirai_backup.errors import EngineError

END = b"\nCOMMIT;\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n"


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_only_the_last_commit_goes(size):
    script = b"BEGIN;\nCOPY t FROM stdin;\nCOMMIT;\n\\.\n" + b"x" * 10000 + END
    blocks = (script[start : start + size] for start in range(0, len(script), size))
    assert b"".join(in_place._without_commit(blocks)) == script[: -len(END)] + END.replace(b"COMMIT;\n", b"", 1)


def test_a_script_that_was_cut_off_is_refused():
    with pytest.raises(EngineError, match="no end"):
        list(in_place._without_commit(iter([b"BEGIN;\nCREATE TABLE t ();\n"])))
