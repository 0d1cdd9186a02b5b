"""What every store keeps to (`pipeline.store.base`): local, obj://, gs://, s3://, one suite."""

from __future__ import annotations

import io
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from object_store import DIED, Fault, ObjectFolder, as_text
from store_servers import BUCKET, Place, engines

from pipeline.errors import InputError
from pipeline.store import files
from pipeline.store.base import ANY, NEW
from pipeline.store.objects import in_parallel
from pipeline.store.options import StoreOptions, configure

ODD_NAMES = ("a b", "a#b", "a?b", "a%b", "a%20b", "ü", "漢字", "a+b&c=d", "~.x", "e\u0301", "q'\"q")
RACERS = 16
REPOSITORY = Path(__file__).resolve().parents[2]


def identity(path: str) -> str:
    found = files.stat(path)
    assert found is not None
    return found.identity


def test_nothing_is_visible_before_it_is_published(place: Place) -> None:
    path = place.path("x/part.bin")
    upload = files.NewFile(path)
    upload.write(b"whole")
    assert files.list_files(place.folder) == []
    assert files.stat(path) is None
    assert upload.publish() is True
    assert files.read_bytes(path) == b"whole"
    again = files.NewFile(path)
    again.write(b"another")
    assert files.read_bytes(path) == b"whole"
    assert again.publish() is True
    assert files.read_bytes(path) == b"another"


def test_what_is_given_up_leaves_nothing(place: Place) -> None:
    path = place.path("part.bin")
    files.write_bytes(path, b"whole")
    upload = files.NewFile(path)
    upload.write(b"hal")
    upload.discard()
    other = files.NewFile(place.path("other"))
    other.discard()
    assert files.read_bytes(path) == b"whole"
    assert [file.relative for file in files.list_files(place.folder)] == ["part.bin"]


def test_new_is_only_where_none_is_even_of_the_same_content(place: Place) -> None:
    path = place.path("head")
    assert files.write_bytes(path, b"one", NEW) is True
    assert files.write_bytes(path, b"two", NEW) is False
    assert files.write_bytes(path, b"one", NEW) is False
    assert files.read_bytes(path) == b"one"


def test_a_file_is_replaced_only_while_it_is_the_one_that_was_seen(place: Place) -> None:
    path = place.path("head")
    files.write_bytes(path, b"1")
    seen = identity(path)
    assert files.write_bytes(path, b"22", seen) is True
    assert files.write_bytes(path, b"333", seen) is False
    assert files.read_bytes(path) == b"22"
    files.delete([path])
    assert files.write_bytes(path, b"4444", seen) is False
    assert files.stat(path) is None


def race(environment: dict[str, str], path: str, number: int, start: Any, won: Any) -> None:
    os.environ.update(environment)
    configure(StoreOptions())
    start.wait(60)
    won.put(number if files.write_bytes(path, str(number).encode(), NEW) else None)


def test_of_racing_processes_one_is_first(place: Place) -> None:
    context = multiprocessing.get_context("forkserver")
    # Imported once, not by every racer.
    context.set_forkserver_preload(["pipeline.store.options", "google.cloud.storage"])
    start, won = context.Barrier(RACERS), context.Queue()
    path, environment = place.path("claim"), dict(os.environ)
    racers = [
        context.Process(target=race, args=(environment, path, number, start, won))
        for number in range(RACERS)
    ]
    for racer in racers:
        racer.start()
    results = [won.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    first = [number for number in results if number is not None]
    assert len(first) == 1
    assert files.read_bytes(path) == str(first[0]).encode()


def test_listing_and_stat_agree(place: Place) -> None:
    sizes = {"a": 1, "b/c": 2, "b/d/e": 3, "bb": 4, "b.x": 0}
    for name, size in sizes.items():
        files.write_bytes(place.path(name), b"x" * size)
    listed = files.list_files(place.folder)
    assert {file.relative: file.size for file in listed} == sizes
    for file in listed:
        assert file.path == place.path(file.relative)
        found = files.stat(file.path)
        assert found is not None
        assert (found.path, found.size, found.identity) == (file.path, file.size, file.identity)
    assert [file.relative for file in files.list_files(place.path("b"))] == ["c", "d/e"]
    one = files.list_files(place.path("b/d/e"))
    assert [(file.path, file.relative) for file in one] == [(place.path("b/d/e"), "e")]
    assert files.list_files(place.path("none")) == []
    before = identity(place.path("a"))
    files.write_bytes(place.path("a"), b"y")
    assert identity(place.path("a")) != before


def test_more_names_than_one_answer_holds(place: Place) -> None:
    # The emulator takes a second for 12 names; its front gives 20 an answer.
    count = 41 if place.folder.startswith("gs:") else 1001
    paths = [place.path(f"x/{number}") for number in range(count)]
    in_parallel(lambda path: files.write_bytes(path, b"1"), paths)
    assert {file.path for file in files.list_files(place.folder)} == set(paths)
    files.delete(paths)
    assert files.list_files(place.folder) == []


@pytest.mark.parametrize("place", engines("gs", "s3"), indirect=True)
def test_what_a_console_puts_for_a_folder_is_no_file(place: Place) -> None:
    assert place.front is not None
    for folder in (f"{place.folder}/", f"{place.folder}/sub/"):
        if folder.startswith("gs:"):
            files.write_bytes(folder, b"")
        else:  # obstore takes the slash away
            url = folder.replace("s3:/", place.front.url)
            urlopen(Request(url, data=b"", method="PUT")).close()
    files.write_bytes(place.path("sub/empty"), b"")
    assert [file.relative for file in files.list_files(place.folder)] == ["sub/empty"]


@pytest.mark.parametrize("place", engines("gs", "s3"), indirect=True)
def test_what_a_person_can_mend_is_said(place: Place) -> None:
    assert place.front is not None
    elsewhere = place.path("x").replace(BUCKET, "nowhere")
    with pytest.raises(InputError, match="there is no bucket nowhere; make it first"):
        files.list_files(elsewhere)
    # The emulator breaks off an upload to a bucket that it does not have.
    place.front.status = 404 if place.folder.startswith("gs:") else 0
    for condition in (ANY, NEW):
        with pytest.raises(InputError, match="there is no bucket nowhere; make it first"):
            files.write_bytes(elsewhere, b"x", condition)
    place.front.status = 0
    with pytest.raises(InputError, match="names no bucket"):
        files.list_files(f"{place.folder[:2]}:///x")
    with pytest.raises(InputError, match="names no object"):
        files.write_bytes(f"{place.folder[:2]}://{BUCKET}", b"x")
    place.front.status = 403
    try:
        for attempt in (files.stat, files.list_files, files.read_bytes):
            with pytest.raises(InputError, match="not allowed"):
                attempt(place.path("x"))
        with pytest.raises(InputError, match="not allowed"):
            files.write_bytes(place.path("x"), b"x", NEW)
        with pytest.raises(InputError, match="not allowed"):
            files.delete([place.path("x")])
    finally:
        place.front.status = 0


def test_bytes_are_read_by_range(place: Place) -> None:
    data = os.urandom(1 << 20)
    files.write_bytes(place.path("x"), data)
    with files.open_read(place.path("x")) as handle:
        assert handle.seek(-8, io.SEEK_END) == len(data) - 8
        assert handle.read() == data[-8:]
        assert handle.read(1) == b""
        handle.seek(1000)
        assert handle.read(10) == data[1000:1010]
        assert handle.seek(-5, io.SEEK_CUR) == 1005
        assert handle.read(600_000) == data[1005:601_005]
        assert handle.tell() == 601_005
        handle.seek(len(data) + 7)
        assert handle.read(3) == b""
        handle.seek(0)
        assert handle.read() == data


def test_a_file_above_what_is_read_ahead_or_sent_at_once(place: Place) -> None:
    block = os.urandom(1 << 20)
    with files.new_file(place.path("large")) as file:
        for _ in range(41):
            file.write(block)
    found = files.stat(place.path("large"))
    assert found is not None
    assert found.size == 41 << 20
    with files.open_read(place.path("large")) as handle:
        for _ in range(41):
            assert handle.read(1 << 20) == block
        assert handle.read(1) == b""


def test_an_empty_file_is_a_file(place: Place) -> None:
    assert files.write_bytes(place.path("empty"), b"", NEW) is True
    assert files.read_bytes(place.path("empty")) == b""
    assert [(file.relative, file.size) for file in files.list_files(place.folder)] == [("empty", 0)]


def test_names_with_odd_characters(place: Place) -> None:
    for name in ODD_NAMES:
        assert files.write_bytes(place.path(f"{name}/{name}"), name.encode(), NEW) is True
    listed = files.list_files(place.folder)
    assert sorted(file.relative for file in listed) == sorted(f"{n}/{n}" for n in ODD_NAMES)
    for name in ODD_NAMES:
        assert files.read_bytes(place.path(f"{name}/{name}")) == name.encode()
        assert len(files.list_files(place.path(name))) == 1
    files.delete([file.path for file in listed])
    assert files.list_files(place.folder) == []


def test_what_is_missing_is_said_and_deleted_without_a_word(place: Place) -> None:
    with pytest.raises(FileNotFoundError):
        files.open_read(place.path("none"))
    files.write_bytes(place.path("some"), b"x")
    files.delete([place.path("none"), place.path("some"), place.path("none/else")])
    files.delete([])
    assert files.list_files(place.folder) == []


WRITE = """
import sys
from pipeline.store import files
from pipeline.store.options import StoreOptions, configure
configure(StoreOptions())
upload = files.NewFile(sys.argv[1])
for _ in range(41):
    upload.write(bytes(1 << 20))
print("written", flush=True)
sys.stdin.readline()
upload.publish()
"""


def writing_process(path: str) -> subprocess.Popen[bytes]:
    """A process that has written a large file, and publishes it when it is sent a line."""
    paths = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, path],
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    return process


def test_a_process_killed_before_it_publishes_leaves_nothing_visible(place: Place) -> None:
    with writing_process(place.path("large")) as process:
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert files.list_files(place.folder) == []


@pytest.mark.parametrize("place", engines("gs", "s3"), indirect=True)
def test_a_process_killed_while_it_sends_leaves_nothing_visible(place: Place) -> None:
    assert place.front is not None
    with place.front.holding(r"PUT .*upload_id=" if "gs:" in place.folder else "partNumber=2"):
        with writing_process(place.path("large")) as process:
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert place.front.held.wait(60)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert files.list_files(place.folder) == []
        assert files.stat(place.path("large")) is None


@pytest.mark.parametrize("place", engines("gs", "s3"), indirect=True)
def test_a_lost_answer_is_not_taken_for_another_that_was_first(place: Place) -> None:
    assert place.front is not None
    sent = r"POST .*uploadType=multipart" if "gs:" in place.folder else r"PUT .*/head"
    path = place.path("head")
    place.front.lose = sent
    assert files.write_bytes(path, b"one", NEW) is True
    assert place.front.lose == ""
    place.front.lose = sent
    assert files.write_bytes(path, b"two", identity(path)) is True
    assert place.front.lose == ""
    assert files.read_bytes(path) == b"two"


@pytest.mark.parametrize("place", engines("s3"), indirect=True)
def test_an_upload_in_parts_is_ended_when_it_fails(place: Place) -> None:
    assert place.front is not None
    place.front.status, place.front.refuse = 403, "partNumber=2"
    place.front.requests.clear()
    upload = files.NewFile(place.path("large"))
    upload.write(bytes(41 << 20))
    with pytest.raises(InputError, match="not allowed"):
        upload.publish()
    place.front.status, place.front.refuse = 0, ""
    assert [said for said in place.front.requests if re.match(r"DELETE .*large\?uploadId", said)]
    assert files.list_files(place.folder) == []


@pytest.mark.parametrize("place", engines("s3"), indirect=True)
def test_a_lost_answer_to_the_end_of_an_upload_in_parts(place: Place) -> None:
    assert place.front is not None
    place.front.lose = r"POST .*uploadId="
    assert files.write_bytes(place.path("large"), bytes(41 << 20)) is True
    assert place.front.lose == ""
    found = files.stat(place.path("large"))
    assert found is not None
    assert found.size == 41 << 20


@pytest.mark.parametrize("place", engines("obj", "gs", "s3"), indirect=True)
def test_an_object_replaced_while_it_is_read_is_an_error_not_a_mixture(place: Place) -> None:
    path = place.path("x")
    files.write_bytes(path, bytes(4 << 20))
    with files.open_read(path) as handle:
        assert handle.read(1000) == bytes(1000)
        files.write_bytes(path, b"\1" * (4 << 20))
        with pytest.raises(OSError, match="replaced or deleted while it was read"):
            handle.read()
    with files.open_read(path) as handle:
        files.delete([path])
        with pytest.raises(OSError, match="replaced or deleted while it was read"):
            handle.read(1)


@pytest.mark.parametrize("place", engines("obj", "gs", "s3"), indirect=True)
def test_an_answer_lost_while_reading_is_asked_for_again_or_an_error(place: Place) -> None:
    """Never a shorter file."""
    path = place.path("x")
    files.write_bytes(path, b"abc")
    if place.front is None:
        os.environ["OBJECT_STORE_FAULTS"] = as_text(Fault("GET"))
        with pytest.raises(ConnectionResetError, match="as the test wanted it"):
            files.read_bytes(path)
    else:
        place.front.lose = r"GET .*alt=media" if "gs:" in place.folder else r"GET .*/x"
    assert files.read_bytes(path) == b"abc"


@pytest.mark.parametrize(("after", "there"), [(False, []), (True, [f"{BUCKET}/large"])])
def test_a_process_that_dies_at_a_put(
    object_folder: ObjectFolder, monkeypatch: pytest.MonkeyPatch, after: bool, there: list[str]
) -> None:
    fault = Fault("PUT", pattern="large$", die=True, after=after)
    monkeypatch.setenv("OBJECT_STORE_FAULTS", as_text(fault))
    with writing_process(f"obj://{BUCKET}/large") as process:
        process.communicate(b"\n")
    assert process.returncode == DIED
    assert object_folder.names() == there


def test_requests_of_the_stand_in_are_counted(
    object_folder: ObjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1001):
        files.write_bytes(f"obj://{BUCKET}/x/{number}", b"1")
    assert len(object_folder.requests("PUT")) == 1001
    assert len(files.list_files(f"obj://{BUCKET}/x")) == 1001
    assert len(object_folder.requests("LIST")) == 2
    monkeypatch.setenv("OBJECT_STORE_FAULTS", as_text(Fault("PUT", "x/1$", nth=2, after=True)))
    files.write_bytes(f"obj://{BUCKET}/x/1", b"2")
    with pytest.raises(ConnectionResetError):
        files.write_bytes(f"obj://{BUCKET}/x/1", b"3")
    assert files.read_bytes(f"obj://{BUCKET}/x/1") == b"3"
    files.write_bytes(f"obj://{BUCKET}/x/1", b"4")
    files.delete([f"obj://{BUCKET}/x/1", f"obj://{BUCKET}/x/2"])
    assert [request.path for request in object_folder.requests("DELETE")] == [
        f"{BUCKET}/x/1",
        f"{BUCKET}/x/2",
    ]
    assert {request.process for request in object_folder.requests()} == {os.getpid()}


def test_reading_in_order_asks_for_more_and_more_at_once(object_folder: ObjectFolder) -> None:
    files.write_bytes(f"obj://{BUCKET}/x", bytes(41 << 20))
    with files.open_read(f"obj://{BUCKET}/x") as handle:
        while handle.read(100_000):
            pass
        assert len(object_folder.requests("HEAD")) == 1
        assert len(object_folder.requests("GET")) <= 10
        handle.seek(5 << 20)
        handle.read(10)
        handle.seek(5 << 20)
        handle.read(200_000)
        assert len(object_folder.requests("GET")) <= 11
