"""What is sent to any address, through the real server: hosts, paths, methods, headers, broken HTTP."""

import http.client
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.web.limits import PER_MINUTE
from tests.hall_server import serving


@pytest.fixture(scope="module")
def address(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One kind of database is enough: none of this may get as far as one."""
    file = tmp_path_factory.mktemp("any") / "hall.db"
    shutil.copyfile(sqlite_template, file)
    with serving(f"sqlite:///{file}") as found:
        yield found


@pytest.fixture(autouse=True)
def alive(address: str) -> Iterator[None]:
    """Whatever was sent, the next person is served."""
    yield
    assert httpx.get(f"{address}/readyz", timeout=30).status_code == 200


def exchange(address: str, raw: bytes, seconds: float = 10) -> bytes:
    """Bytes as they are, and everything that comes back until the server closes or says nothing more."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=seconds) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while part := line.recv(65536):
                found += part
        except TimeoutError:
            pass
        return found


def status_of(answer: bytes) -> int:
    """The status of a raw answer; 0 when the line was just closed."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def request(address: str, method: str, path: str, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    """A request whose path no client library has tidied."""
    place = urlsplit(address)
    line = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    line.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        line.putheader(name.replace("_", "-"), value)
    line.endheaders()
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, body, answer.msg


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "127.0.0.1@evil.example", "", "[::1", "a" * 300,
     "127.0.0.1, evil.example", "localhost/..", "x\ty"],
)  # fmt: skip
def test_a_host_that_is_not_ours(address: str, host: str) -> None:
    for path in ("/", "/api/v1/offices", "/healthz"):
        status, body, _ = request(address, "GET", path, Host=host)
        assert status == 400
        assert b"evil" not in body


def test_no_host_and_two_hosts(address: str) -> None:
    assert status_of(exchange(address, b"GET / HTTP/1.1\r\n\r\n")) in (200, 400)  # then it is the address itself
    two = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert status_of(exchange(address, two)) == 400


def test_what_a_stranger_forwards_is_not_believed(address: str) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9",
               "Forwarded": "for=203.0.113.9;host=evil.example"}  # fmt: skip
    answer = httpx.get(f"{address}/", headers=headers)
    assert "evil" not in answer.text + str(answer.headers)
    # The rate is counted by the address of the line, whatever it says of itself.
    seen = [
        httpx.post(
            f"{address}/api/v1/offices/ward/tickets", content=b'{"services":["nothing"]}',
            headers={"X-Forwarded-For": f"203.0.113.{number}", "Content-Type": "application/json",
                     "Idempotency-Key": uuid.uuid4().hex},
        ).status_code
        for number in range(PER_MINUTE["ticket"] + 5)
    ]  # fmt: skip
    assert set(seen) == {404, 429}


@pytest.mark.parametrize(
    "path",
    ["/..%2f..%2fetc/passwd", "/static/..%2f..%2fapp/wsgi.py", "/static/../wsgi.py", "/static/%2e%2e/wsgi.py",
     "/static/....//wsgi.py", "/static//etc/passwd", "/static/%00.css", "/static/..\\wsgi.py", "/static/",
     "//", "//evil.example", "//evil.example/%2e%2e", "/o//ward", "/o/ward//take", "/api//v1/offices", "/;/o/ward",
     "/o/..%2fward", "/o/%2e%2e", "/o/%e3%81", "/o/%ff%fe", "/o/ward%00", "/o/%ed%a0%80", "/o/ward%0d%0aX:%20y",
     "/%s%n%x", "/api/v1/offices/%252e%252e", "/.git/config", "/.env", "/backup.db", "/var/madoguchi.db",
     "/debug", "/console", "/debug/vars", "/server-status", "/admin.php", "/wp-login.php", "/static/.env",
     "/api/v1", "/api/v1/", "/api/v2/offices", "/docs", "/socket.io/admin", "/metrics/../healthz/x"],
)  # fmt: skip
def test_paths_that_lead_nowhere(address: str, path: str) -> None:
    for method in ("GET", "POST"):
        status, body, _ = request(address, method, path, Content_Length="0")
        assert status in (400, 404, 405), (status, body[:200])
        assert b"Traceback" not in body
        assert b"root:" not in body


def test_werkzeugs_own_doors_are_shut(address: str) -> None:
    for query in ("?__debugger__=yes&cmd=resource&f=debugger.js", "?__debugger__=yes&cmd=pinauth&pin=1&s=x"):
        body = httpx.get(f"{address}/{query}").text
        # The links to other languages carry the query along; but for them nothing here knows of a debugger.
        assert "debugger" not in re.sub(r'href="\?[^"]*"', "", body).lower()


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_is_what_it_is(address: str, name: str) -> None:
    assert httpx.get(f"{address}/api/v1/offices", headers={name: "DELETE"}).status_code == 200
    assert httpx.post(f"{address}/t/nobody?_method=DELETE", headers={name: "GET"}).status_code in (403, 405)


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "PUT", "DELETE", "X" * 200, "G=T"])
def test_other_methods(address: str, method: str) -> None:
    for path in ("/", "/api/v1/offices"):
        assert request(address, method, path, Cookie="a=b")[0] in (400, 405)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Long": "x" * 8_300}, {"X-Long": "x" * 70_000}, {"Cookie": "madoguchi=" + "x" * 9_000},
        {"Accept-Language": "ja," * 3_000}, {"Authorization": "Bearer " + "x" * 8_200},
    ],
)  # fmt: skip
def test_a_header_of_8_kb(address: str, headers: dict[str, str]) -> None:
    assert request(address, "GET", "/api/v1/offices", **headers)[0] in (400, 431)


def test_hundreds_of_headers_and_a_long_address(address: str) -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(400))
    raw = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + many + b"\r\n"
    assert status_of(exchange(address, raw)) in (400, 431)
    assert request(address, "GET", "/o/" + "x" * 9_000)[0] in (400, 414)
    assert request(address, "GET", "/?" + "x=y&" * 1_000)[0] in (200, 302, 400, 414)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Cookie", "madoguchi=%00; madoguchi_device=\x01; lang=../../x; ="),
        ("Cookie", "madoguchi_device=" + "é" * 50), ("Cookie", "madoguchi=eyJzdGFmZiI6WzFdfQ.x.y"),
        ("Authorization", "Bearer"), ("Authorization", "Bearer \xff\xfe"),
        ("Authorization", "Basic eDp5"), ("Accept-Language", ";q=;;,*;q=9,ja;q=nan"), ("Accept", "\x0b"),
        ("If-None-Match", '"' * 99), ("If-None-Match", 'W/"x.' + "9" * 4_000), ("Range", "bytes=-1-x"),
        ("Idempotency-Key", "\xff" * 20), ("Content-Type", "application/json; charset=utf-7"),
        ("Content-Type", "multipart/form-data"), ("Transfer-Encoding", "gzip, chunked"), ("Expect", "200-maybe"),
        ("Upgrade", "h2c"), ("Content-Encoding", "gzip"), ("X-CSRFToken", "x" * 3_000), ("Origin", "null"),
    ],
)  # fmt: skip
def test_headers_that_say_nonsense(address: str, name: str, value: str) -> None:
    place = urlsplit(address)
    for method, path in (("GET", "/o/ward"), ("GET", "/api/v1/offices/ward/board"), ("GET", "/kiosk/ward"),
                         ("POST", "/api/v1/offices/ward/tickets"), ("POST", "/o/ward/take")):  # fmt: skip
        raw = f"{method} {path} HTTP/1.1\r\nHost: {place.netloc}\r\n{name}: {value}\r\nContent-Length: 0\r\n"
        answer = exchange(address, raw.encode("latin-1") + b"Connection: close\r\n\r\n")
        assert status_of(answer) < 500 or status_of(answer) == 501, answer[:300]
        assert b"Traceback" not in answer


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 64, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n", b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_hardly_http(address: str, raw: bytes) -> None:
    answer = exchange(address, raw, seconds=2)
    assert status_of(answer) < 500 or status_of(answer) == 505, answer[:300]
    assert b"Traceback" not in answer
    assert b"evil" not in answer


def test_2_mb_in_chunks_without_a_length(address: str) -> None:
    def parts() -> Iterator[bytes]:
        yield b'{"services":["'
        for _ in range(64):
            yield b"x" * 32_768

    try:
        answer = httpx.post(
            f"{address}/api/v1/offices/ward/tickets", content=parts(), timeout=20,
            headers={"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex},
        )  # fmt: skip
        assert answer.status_code in (400, 411, 413, 429)
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        pass  # the line was closed in the middle: nothing was read into memory


@pytest.mark.parametrize("path", ["/o/ward/take", "/sign-in", "/pair"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_forms_of_2_mb_or_a_thousand_parts(address: str, path: str, kind: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ny\r\n'
    bodies = {b"a=" + b"x" * 2_000_000, b"a=b&" * 1_000} if "urlencoded" in kind else {part * 1_000 + b"--x--\r\n"}
    for body in bodies:
        answer = httpx.post(f"{address}{path}", content=body, headers={"Content-Type": kind})
        assert answer.status_code in (400, 403, 413, 422)


def test_every_answer_carries_its_headers(address: str) -> None:
    for path in (
        "/",
        "/o/ward",
        "/sign-in",
        "/nowhere",
        "/api/v1/offices",
        "/api/v1/nowhere",
        "/board/ward",
        "/kiosk/ward",
    ):
        headers = httpx.get(f"{address}{path}").headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        # A kiosk reads QR codes by WebAssembly (no text becomes script by that); nothing else may.
        assert "unsafe" not in (policy.replace("'wasm-unsafe-eval'", "") if path.startswith("/kiosk/") else policy)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in policy
        assert "Referrer-Policy" in headers
        assert "no-store" in headers["Cache-Control"] or "no-cache" in headers["Cache-Control"]


def test_health_tells_no_version_and_no_name(address: str) -> None:
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{address}/readyz").json() == {"status": "ready"}
    for path in ("/healthz", "/readyz"):
        server = httpx.get(f"{address}{path}").headers.get("Server", "")
        assert not any(letter.isdigit() for letter in server)


def test_a_slow_sender_holds_up_nobody(address: str) -> None:
    """Thirty lines that send a byte and wait: the next person is served at once (the proxy ends them)."""
    place = urlsplit(address)
    lines = [socket.create_connection((place.hostname or "", place.port or 0), timeout=5) for _ in range(30)]
    try:
        for line in lines:
            line.sendall(
                b"POST /api/v1/offices/ward/tickets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n{"
            )
        assert httpx.get(f"{address}/api/v1/offices", timeout=20).status_code == 200
    finally:
        for line in lines:
            line.close()
