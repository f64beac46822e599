"""doit's database in DUSTY_HOME: what is damaged is moved aside."""

from __future__ import annotations

import json
import os
import sys


def heal(path: str) -> None:
    """Move a damaged database aside as `<path>.broken`: losing it costs one full run, never an error."""
    if not os.path.exists(path):
        return
    import sqlite3

    try:
        connection = sqlite3.connect(path)
        try:
            # Not quick_check: doit finds its rows by the index, which that does not look at.
            if connection.execute("pragma integrity_check").fetchone() != ("ok",):
                raise ValueError("integrity_check")
            for (row,) in connection.execute("select task_data from doit"):
                json.loads(row)
        finally:
            connection.close()
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        if "locked" in str(error):
            return
        try:
            _set_aside(path)
        except FileNotFoundError:
            return  # Another run did that just now.
        except OSError as trouble:
            print(f"state/doit.db is damaged, and cannot be set aside: {trouble.strerror}", file=sys.stderr)
            return
        print(
            "state/doit.db was damaged: set aside as doit.db.broken, this run checks everything again", file=sys.stderr
        )


def _set_aside(path: str) -> None:
    import shutil

    try:
        os.replace(path, path + ".broken")
    except OSError:
        if not os.path.lexists(path) or not os.path.lexists(path + ".broken"):
            raise
        # A folder in place of the one or the other. This is a cache, and the last one set aside is enough.
        if os.path.isdir(path + ".broken"):
            shutil.rmtree(path + ".broken")
        else:
            os.unlink(path + ".broken")
        os.replace(path, path + ".broken")
