"""Downloads from a server on this machine: mirrors fail over, damage is refused, what was cut off goes on."""

from __future__ import annotations

import errno
import hashlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fairtrial.errors import DataError
from fairtrial.images import fetching
from fairtrial.images.fetching import File

pytest.importorskip("pooch")
CONTENT = bytes(range(256)) * 4000
SUM = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """Serves what `files` says; `cut` ends a connection after so many bytes, once. `asked` is what came."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    ranges: bool = True


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            state.asked.append((self.path, wanted))
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.ranges else 0
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            most = state.cut.pop(self.path, len(content))
            self.wfile.write(content[begin : begin + most])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield state
        listening.shutdown()


def file(server: Server, *places: str, **changes: object) -> File:
    urls = tuple(f"{server.url}/{place}" for place in places)
    return File(**{"name": "a.bin", "urls": urls, "sha256": SUM, "size": len(CONTENT), **changes})  # pyright: ignore[reportArgumentType]


def fetch(*files: File) -> Path:
    return fetching.fetched(files, dataset="some", folder="some", also="Or install it: apt install some")[
        "a.bin"
    ]


def test_the_second_mirror_serves_what_the_first_has_not(server: Server, cache_folder: Path) -> None:
    server.files["/two"] = CONTENT
    path = fetch(file(server, "one", "two"))
    assert path == cache_folder / "downloads" / "some" / "a.bin" and path.read_bytes() == CONTENT
    assert [place for place, _ in server.asked] == ["/one", "/two"]
    fetch(file(server, "one", "two"))
    assert len(server.asked) == 2  # what is here is not asked for again


def test_a_download_that_was_cut_off_goes_on_where_it_ended(server: Server, cache_folder: Path) -> None:
    """Half a gigabyte over a bad line would otherwise never arrive."""
    server.files["/one"], server.cut["/one"] = CONTENT, 400_000
    with pytest.raises(
        DataError, match=r"400,000 of 1,024,000 bytes; the next attempt goes on from there|IncompleteRead"
    ):
        fetch(file(server, "one"))
    part = cache_folder / "downloads" / "some" / "a.bin.part"
    there = part.stat().st_size
    assert 0 < there <= 400_000 and part.read_bytes() == CONTENT[:there]
    assert fetch(file(server, "one")).read_bytes() == CONTENT
    assert server.asked[-1] == ("/one", f"bytes={there}-")
    assert not part.exists()


def test_a_server_that_knows_no_ranges_is_asked_for_the_whole(server: Server) -> None:
    server.files["/one"], server.cut["/one"], server.ranges = CONTENT, 300_000, False
    with pytest.raises(DataError):
        fetch(file(server, "one"))
    assert fetch(file(server, "one")).read_bytes() == CONTENT


def test_a_damaged_file_is_refused_and_the_next_mirror_asked(server: Server, cache_folder: Path) -> None:
    """Same size, one other byte: only the checksum tells."""
    server.files["/one"] = b"x" + CONTENT[1:]
    with pytest.raises(DataError, match=r"what it sends is not the published file \(its checksum differs\)"):
        fetch(file(server, "one"))
    assert list((cache_folder / "downloads" / "some").iterdir()) == []
    server.files["/two"] = CONTENT
    assert fetch(file(server, "one", "two")).read_bytes() == CONTENT


def test_a_part_of_another_file_does_not_spoil_the_download(server: Server, cache_folder: Path) -> None:
    """Begun at a mirror that has something else, continued at one that has it: the second attempt begins anew."""
    folder = cache_folder / "downloads" / "some"
    folder.mkdir(parents=True)
    (folder / "a.bin.part").write_bytes(b"other" * 1000)
    server.files["/one"] = CONTENT
    assert fetch(file(server, "one")).read_bytes() == CONTENT


def test_no_more_is_taken_than_the_file_has(server: Server, monkeypatch) -> None:
    """A server may send without end."""
    server.files["/one"] = CONTENT + bytes(1_000_000)
    with pytest.raises(DataError, match="it sends more than the 1,024,000 bytes that the file has"):
        fetch(file(server, "one"))
    monkeypatch.setattr(fetching, "LARGEST_UNKNOWN", 1000)
    with pytest.raises(DataError, match="it sends more than the 1,000 bytes"):
        fetch(file(server, "one", size=None))


def test_a_published_md5_serves_where_nobody_published_more(server: Server) -> None:
    server.files["/one"] = CONTENT
    digest = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    assert fetch(file(server, "one", sha256="", md5=digest, size=None)).read_bytes() == CONTENT


def test_offline_nothing_is_asked_for_and_the_way_out_is_said(
    server: Server, monkeypatch, cache_folder: Path
) -> None:
    """Which file, from where, with which checksum, into which folder."""
    server.files["/one"] = CONTENT
    monkeypatch.setenv("FAIRTRIAL_OFFLINE", "1")
    with pytest.raises(DataError) as refused:
        fetch(file(server, "one"))
    said = str(refused.value)
    folder = cache_folder / "downloads" / "some"
    for part in (
        "FAIRTRIAL_OFFLINE is set, so nothing is downloaded",
        f"put this file into {folder} and run the command again",
        f"a.bin (1,024,000 bytes, SHA-256 {SUM})",
        f"from {server.url}/one",
        "apt install some",
    ):
        assert part in said
    assert server.asked == []
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(CONTENT)
    assert fetch(file(server, "one")) == folder / "a.bin"
    monkeypatch.setenv("FAIRTRIAL_OFFLINE", "0")
    assert not fetching.is_offline()


def test_a_mirror_of_one_s_own_is_asked_first(server: Server, monkeypatch) -> None:
    """A class behind one line downloads from its own server."""
    server.files["/own/some/a.bin"] = CONTENT
    monkeypatch.setenv("FAIRTRIAL_MIRROR", f"{server.url}/own/")
    assert fetch(file(server, "one")).read_bytes() == CONTENT
    assert server.asked == [("/own/some/a.bin", "")]


def test_nobody_listening_is_said_in_a_line(server: Server) -> None:
    with pytest.raises(DataError) as refused:
        fetch(File(name="a.bin", urls=("http://127.0.0.1:9/a.bin",), sha256=SUM, size=3))
    assert "http://127.0.0.1:9/a.bin: " in str(refused.value) and "Connection refused" in str(refused.value)


def test_progress_is_shown_on_standard_error(server: Server, capsys) -> None:
    server.files["/one"] = CONTENT
    fetch(file(server, "one"))
    shown = capsys.readouterr()
    assert "some: a.bin: 100%" in shown.err and "1.02M/1.02M" in shown.err and shown.out == ""


def test_a_full_disk_is_no_fault_of_the_mirrors(server: Server, monkeypatch, cache_folder: Path) -> None:
    """No other mirror would help, nor would fetching by hand: what helps is room, and that is what is said."""
    server.files["/one"] = server.files["/two"] = CONTENT

    class Full(io.FileIO):
        def write(self, piece) -> int:
            if self.tell() > 500_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(piece)

    opened = Path.open

    def full(self: Path, mode: str = "r", buffering: int = -1, **others):
        return Full(self, mode) if mode in ("wb", "r+b") else opened(self, mode, buffering, **others)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(
        DataError, match=r"cannot be kept in .*some \(No space left on device\); make room there, or set FAIR"
    ):
        fetch(file(server, "one", "two"))
    assert [place for place, _ in server.asked] == ["/one"]
    monkeypatch.undo()
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(cache_folder))
    assert fetch(file(server, "one")).read_bytes() == CONTENT
    assert server.asked[-1][1].startswith("bytes=")


def test_a_folder_that_cannot_be_made_and_a_mirror_that_is_none(
    server: Server, monkeypatch, cache_folder: Path
) -> None:
    (cache_folder / "downloads").write_text("a file where the folder would be")
    with pytest.raises(DataError, match=r"cannot be kept in .*; make room there, or set FAIRTRIAL_CACHE"):
        fetch(file(server, "one"))
    (cache_folder / "downloads").unlink()
    monkeypatch.setenv("FAIRTRIAL_MIRROR", "data.example.org/sets")
    with pytest.raises(
        DataError, match=r"FAIRTRIAL_MIRROR must begin with http:// or https://, got 'data\.example"
    ):
        fetch(file(server, "one"))
    assert server.asked == []
