import os
import threading

import pytest

from dssn_core.files import locked, only_writer, read_json_lines, write_atomically, write_json_lines


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "file.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file.bin"]


def test_makes_the_folder(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "file.bin", b"data")
    assert (tmp_path / "a" / "b" / "file.bin").read_bytes() == b"data"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_who_may_read_a_file_is_up_to_its_user(tmp_path, mask, mode):
    path, before = tmp_path / "file.bin", os.umask(mask)
    try:
        write_atomically(path, b"data")
        assert path.stat().st_mode & 0o777 == mode
        path.chmod(0o664)
        write_atomically(path, b"more")
        assert path.stat().st_mode & 0o777 == 0o664
    finally:
        os.umask(before)


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "file.bin"
    write_atomically(path, b"old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file.bin"]


def test_a_first_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file.bin", b"data")
    assert os.listdir(tmp_path) == []


def test_json_lines_come_back_and_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "log.jsonl"
    assert read_json_lines(path) == []
    write_json_lines(path, [{"a": 1}, {"b": "ä"}])
    assert read_json_lines(path) == [{"a": 1}, {"b": "ä"}]
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert read_json_lines(path) == [{"a": 1}, {"b": "ä"}][: whole[:cut].count(b"}")]  # only its break may be lost


@pytest.mark.parametrize(
    "text", ["notes\n", "notes", "{ notes", "[" * 200_000 + "\n", '{"a": 1}\ntorn\n{"b": 2}\n', "[1]\n"]
)
def test_a_file_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match="not a file of JSON lines"):
        read_json_lines(path)
    assert path.read_text() == text


def test_compressed_lines_are_read_and_written(tmp_path):
    path = tmp_path / "records.jsonl.gz"
    write_json_lines(path, [{"a": 1}, {"b": [2, 3]}])
    first = path.read_bytes()
    assert first[:2] == b"\x1f\x8b"
    assert read_json_lines(path) == [{"a": 1}, {"b": [2, 3]}]
    write_json_lines(path, [{"a": 1}, {"b": [2, 3]}])
    assert path.read_bytes() == first
    path.write_bytes(first[:-9])
    with pytest.raises(ValueError, match="damaged"):
        read_json_lines(path)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_replaced(tmp_path, kind):
    path = tmp_path / "there"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(ValueError, match="is not a file, so it cannot be overwritten"):
        write_atomically(path, b"new")
    assert not path.is_file() and list(tmp_path.iterdir()) == [path]


def test_of_a_link_the_file_is_replaced(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"old")
    link.symlink_to(file)
    write_atomically(link, b"new")
    assert link.is_symlink() and file.read_bytes() == b"new"


def test_links_that_lead_to_one_another_are_refused(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to(other)
    other.symlink_to(one)
    for write in (lambda: write_atomically(one, b"new"), lambda: only_writer(one).__enter__(), lambda: locked(one)):
        with pytest.raises(ValueError, match=r"loop|back to itself"):
            write()
    assert one.is_symlink()


def test_only_one_at_a_time_is_in_a_locked_folder(tmp_path):
    inside, done = [], threading.Event()

    def another():
        with locked(tmp_path / "." / "folder"):  # the same folder by another name
            inside.append("another")
        done.set()

    with locked(tmp_path / "folder"):
        threading.Thread(target=another).start()
        assert not done.wait(0.3) and not inside
        inside.append("the first")
    assert done.wait(60) and inside == ["the first", "another"]
    with locked(tmp_path / "folder"), locked(tmp_path / "other"):  # others do not wait
        pass
    assert all(path.name.startswith(".") for path in (tmp_path / "folder").iterdir())  # the folder's lock is in it


def test_a_second_writer_is_refused_at_once(tmp_path):
    with only_writer(tmp_path / "records.jsonl"), locked(tmp_path / "records.jsonl"):  # which are two purposes
        with pytest.raises(ValueError, match="another process is writing to"), only_writer(tmp_path / "records.jsonl"):
            pass
        with only_writer(tmp_path / "other"):
            pass
    with only_writer(tmp_path / "records.jsonl"):
        pass
