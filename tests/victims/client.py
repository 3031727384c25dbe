"""Asks a server again and again, and counts the answers that came whole: all the
bytes that were announced, each the right one, and then the end of file.

usage: client.py PORT PROTOCOL SCENARIO TIMES
PROTOCOL  post, get (for servers that serve files: the upload is a GET's), redis
SCENARIO  upload: 1 MB, most of which the server refuses to read; the answer is
          400,000 bytes
          tail: the beginning of another request follows, when the answer to
          the first, 1,000,000 bytes and the end, begins to come

It sends all and reads then, as most clients do; after a failed send it still
reads what has come. Its receive buffer is small and its first look at the answer
takes a moment, as on a slow line: most of an answer waits in the server's kernel.
"""

import collections
import errno
import select
import socket
import sys

PATIENCE = 60  # seconds
WINDOW = 32768
MOMENT = 20  # ms, or until the connection has ended
UPLOAD = b"x" * 1_000_000
BODY = {"upload": b"".join(b"%07d\n" % n for n in range(50_000)),
        "tail": b"".join(b"%07d\n" % n for n in range(125_000))}


def send(client, data):
    try:
        client.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass  # what has come already can still be read


def pause(client):
    poll = select.poll()
    poll.register(client, 0)  # POLLERR and POLLHUP come unasked
    poll.poll(MOMENT)


def exchange(port, request, tail):
    """The answer, and how it ended: '' for the end of file, or an errno's name."""
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        client.connect(("127.0.0.1", port))
        answer = bytearray()
        try:
            send(client, request)
            while piece := client.recv(65536):
                if not answer:
                    send(client, tail)
                    pause(client)
                answer += piece
        except TimeoutError:
            return answer, f"nothing for {PATIENCE} s"
        except OSError as error:
            return answer, errno.errorcode[error.errno]
        return answer, ""


def http_request(method, scenario):
    head = "{} /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n"
    if scenario == "upload":
        return head.format(method.upper(), scenario, f"Content-Length: {len(UPLOAD)}\r\n").encode() + UPLOAD, b""
    return head.format("GET", scenario, "").encode(), b"GET / HTTP/1.1\r\n"


def http_is_whole(answer, scenario):
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    length = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return body == BODY[scenario] and all(int(told) == len(body) for told in length)


def redis_request(scenario):
    if scenario == "upload":
        return b"GET upload\r\n*1\r\n$99999999999\r\n" + UPLOAD, b""
    return b"GET tail\r\nQUIT\r\n", b"PING\r\nPING\r\n"


def redis_is_whole(answer, scenario):
    last = b"-ERR Protocol error: invalid bulk length\r\n" if scenario == "upload" else b"+OK\r\n"
    body = BODY[scenario]
    return bytes(answer) == b"$%d\r\n%s\r\n%s" % (len(body), body, last)


def main(port, protocol, scenario, times):
    ends = collections.Counter()
    if protocol == "redis":
        body = BODY[scenario]
        exchange(int(port), b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\nQUIT\r\n"
                 % (len(scenario), scenario.encode(), len(body), body), b"")
        request, tail = redis_request(scenario)
        is_whole = redis_is_whole
    else:
        request, tail = http_request(protocol, scenario)
        is_whole = http_is_whole
    for _ in range(int(times)):
        answer, end = exchange(int(port), request, tail)
        if is_whole(answer, scenario):
            ends[end or "whole"] += 1
        else:
            ends[f"cut short, then {end or 'the end of file'}"] += 1
            print(f"{len(answer):,} bytes, then {end or 'the end of file'}", file=sys.stderr)
    print(ends.pop("whole", 0))
    for end, count in ends.items():
        print(f"{count} {end}")


main(*sys.argv[1:])
