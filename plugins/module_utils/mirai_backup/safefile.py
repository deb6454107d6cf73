# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that are either whole or not there: temporary name, sync, rename, sync of the directory; exchange of two."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
from typing import Iterator

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)  # not in every C library


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
    """Put ``path`` into every OSError of the block that names no file, as those of an open descriptor do."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or path
        raise


def sync_directory(path: str) -> None:
    """Force the names in the directory ``path`` to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    with named(path):
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def exchange(one: str, other: str) -> bool:
    """Let the two names of a directory trade what they stand for, at one instant: neither is ever missing.

    False, and nothing done, where the file system (NFS is one) or the system cannot. Raises OSError.
    """
    names = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other))
    if _renameat2 is None:
        return False
    if _renameat2(*names, _RENAME_EXCHANGE) == 0:
        sync_directory(os.path.dirname(one))
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), one, None, other)


def make_directory(path: str) -> None:
    """Create the directory ``path``, 0700, where it is not there yet; its parent's owner becomes its owner."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
        adopt(path)
        sync_directory(os.path.dirname(path))


def adopt(path: str) -> None:
    """Give ``path`` to the owner of its directory, when root created it in another account's repository."""
    if os.geteuid() == 0:
        parent = os.stat(os.path.dirname(path))
        os.chown(path, parent.st_uid, parent.st_gid, follow_symlinks=False)


def write(path: str, blocks: Iterator[bytes]) -> None:
    """Replace the file ``path`` by ``blocks``, 0600, at one instant. The old content stays when anything fails."""
    directory = os.path.dirname(path)
    temporary = os.path.join(directory, f".{os.path.basename(path)}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with named(path), open(descriptor, "wb") as file:
            for block in blocks:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        adopt(temporary)
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(directory)


def append_line(path: str, line: bytes) -> None:
    """Append ``line`` to the file ``path`` in one write; a line that a dying run left torn is closed first."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with named(path):
        try:
            size = os.fstat(descriptor).st_size
            torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
            whole = (b"\n" if torn else b"") + line + b"\n"
            if os.write(descriptor, whole) < len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    adopt(path)
