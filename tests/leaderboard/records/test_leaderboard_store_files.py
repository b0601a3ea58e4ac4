"""What stands where a store should: other files, older schemas, read-only mounts, full disks."""

import os
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing

import pytest

from bench.core.errors import InputError
from leaderboard.records.store import opening, schema
from leaderboard.records.store.store import Store


@pytest.mark.parametrize("content", [b"hello", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_what_is_no_store_is_refused_and_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    for mode in ("read", "write"):
        with pytest.raises(InputError, match="store"):
            Store(path, mode)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE records (id)")
    before = path.read_bytes()
    for mode in ("read", "write"):
        with pytest.raises(InputError, match="not a FarField store"):
            Store(path, mode)
    assert path.read_bytes() == before


def test_a_truncated_store_is_refused_or_found_out(path, records, fill):
    fill(path, *records(seeds=range(20)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        with Store(path) as store:
            problems = store.check()
    except InputError as error:
        problems = (str(error),)
    assert problems


def test_no_store_and_no_permission_are_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="there is no store"):
        Store(tmp_path / "none.sqlite")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used"):
        Store(tmp_path / "file" / "below.sqlite", "write")


def test_a_newer_schema_is_refused_in_both_modes(path, record, fill):
    fill(path, record())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    for mode in ("read", "write"):
        with pytest.raises(InputError, match=r"schema 99.*upgrade"):
            Store(path, mode)
    assert path.read_bytes() == before


def _add_column(connection):
    connection.execute("ALTER TABLE records ADD COLUMN note TEXT NOT NULL DEFAULT 'old'")


def test_an_older_schema_is_migrated_on_writing_and_in_memory_on_reading(path, record, monkeypatch, fill):
    fill(path, record())
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _add_column))
    before = path.read_bytes()
    with Store(path) as store:
        assert store.get(record().key) == record()
        assert next(store._select("SELECT note FROM records")) == ("old",)
    assert path.read_bytes() == before
    with Store(path, "write") as store:
        assert store.get(record().key) == record()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)


def test_a_migration_that_fails_leaves_the_store_as_it_was(path, record, monkeypatch, fill):
    def broken(connection):
        connection.execute("DELETE FROM records")
        connection.execute("SELECT nonsense")

    fill(path, record())
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    with pytest.raises(InputError, match="nonsense"):
        Store(path, "write")
    monkeypatch.undo()
    with Store(path) as store:
        assert store.get(record().key) == record()


def test_a_store_that_was_made_but_never_filled_is_empty(path):
    path.parent.mkdir()
    path.write_bytes(b"")
    with Store(path) as store:
        assert len(store) == 0
        assert list(store.records()) == []


def test_wal_where_it_works_and_truncate_where_it_cannot(path, tmp_path):
    with closing(opening.open_writing(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    if os.name == "posix":
        # dot-file locking has no shared memory: what a network file system looks like to SQLite
        with closing(opening.open_writing(tmp_path / "other.sqlite", vfs="unix-dotfile")) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
            connection.execute("INSERT INTO records VALUES (1, 'd', 'ok', '1', 't', 'a', 'n', 0, '{}')")


def can_write_anywhere():
    return os.name != "posix" or os.geteuid() == 0


def read_in_child(path, before=""):
    """Read the store in a process that may be set up by ``before``; returns what it printed."""
    program = "from leaderboard.records.store.store import Store\n"
    program += f"with Store({str(path)!r}) as s: print(len(list(s.records())), s.check())"
    command = [sys.executable, "-c", program]
    if before:
        command = ["unshare", "--mount", "sh", "-c", f"{before} && exec " + ' "$0" "$@"', *command]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def crashed_copy(path, folder, record):
    """A store as a killed writer leaves it: one record still in the log."""
    with Store(path, "write") as store:
        store.add(record)
        for file in (path, path.with_name(path.name + "-wal")):
            (folder / file.name).write_bytes(file.read_bytes())
    assert (folder / (path.name + "-wal")).stat().st_size > 0
    return folder / path.name


@pytest.mark.parametrize("crashed", [False, True])
def test_a_store_on_a_read_only_mount_is_read_whole(path, tmp_path, record, crashed, fill):
    folder = tmp_path / "mounted"
    folder.mkdir()
    store = crashed_copy(path, folder, record()) if crashed else folder / "records.sqlite"
    if not crashed:
        fill(store, record())
        (folder / "records.sqlite.lock").unlink(missing_ok=True)
    if can_write_anywhere():
        mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
        if subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True, check=False).returncode:
            pytest.skip("cannot mount read-only here")
        result = read_in_child(store, before=mount)
    else:
        folder.chmod(0o555)
        result = read_in_child(store)
        folder.chmod(0o755)
    assert result.stdout == "1 ()\n", result.stderr
    names = {f.name for f in folder.iterdir()}
    assert names == ({"records.sqlite", "records.sqlite-wal"} if crashed else {"records.sqlite"})


def test_writing_on_a_read_only_mount_is_one_clear_line(tmp_path, record, fill):
    fill(tmp_path / "m" / "records.sqlite", record())
    folder = tmp_path / "m"
    program = f"from leaderboard.records.store.store import Store\nStore({str(folder / 'records.sqlite')!r}, 'write')"
    mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    if subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("cannot mount read-only here")
    command = ["unshare", "--mount", "sh", "-c", f"{mount} && exec " + '"$0" "$@"', sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode
    assert "InputError: the store cannot be" in result.stderr
    assert "choose another --out" in result.stderr


def test_a_full_disk_keeps_what_was_stored_and_says_so(tmp_path, record):
    program = f"""
    import sys
    sys.path.insert(0, {os.path.dirname(os.path.dirname(__file__))!r})
    from conftest import make_key, make_record
    from bench.core.errors import InputError
    from leaderboard.records.store.store import Store
    with Store("small/records.sqlite", "write") as store:
        for seed in range(100_000):
            try:
                numbers = tuple(hash((seed, i)) * 1e-9 for i in range(2000))
                store.add(make_record(make_key(seed=seed)), {{"curve.train": numbers}})
            except InputError as error:
                print(error)
                break
            done = seed + 1
        assert len(store) == done > 3, (len(store), done)
        assert store.check() == ()
    with Store("small/records.sqlite") as store:
        assert len(store) == done
        assert store.check() == ()
    """
    (tmp_path / "small").mkdir()
    mount = f"mount -t tmpfs -o size=1m tmpfs {tmp_path}/small"
    if subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    command = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f"{mount} && exec " + '"$0" "$@"',
        sys.executable,
        "-c",
        textwrap.dedent(program),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "full" in result.stdout
    assert "what was stored is safe" in result.stdout
