"""Sends a request, reads what comes, says what came and how it ended.

usage: client.py PORT TIMES HEAD [REST [WINDOW [WHEN]]]
HEAD   the request, or its beginning: \\r and \\n are written as such
REST   so many bytes behind it, e.g. of an upload
WINDOW the size of the receive buffer, e.g. of a client on a slow line
WHEN   late: does not read before the connection has ended
"""

import errno
import select
import socket
import sys

PATIENCE = 60  # seconds


def await_end(client):
    poll = select.poll()
    poll.register(client, 0)  # POLLERR and POLLHUP come unasked
    poll.poll(PATIENCE * 1000)


def exchange(port, request, window, late):
    """The answer, and how it ended: 'end of file' or an errno's name."""
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        if window:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        client.connect(("127.0.0.1", port))
        answer, end = bytearray(), "end of file"
        try:
            client.sendall(request)
        except (BrokenPipeError, ConnectionResetError) as error:
            end = errno.errorcode[error.errno]  # said once; what has come already can still be read
        try:
            if late:
                await_end(client)
            while piece := client.recv(65536):
                answer += piece
        except TimeoutError:
            return answer, f"nothing for {PATIENCE} s"
        except OSError as error:
            return answer, errno.errorcode[error.errno]
        return answer, end


def told_length(head):
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return None


def main(port, times, head, rest="0", window="0", when=""):
    request = head.replace("\\r", "\r").replace("\\n", "\n").encode() + b"x" * int(rest)
    for _ in range(int(times)):
        answer, end = exchange(int(port), request, int(window), when == "late")
        head, _, body = bytes(answer).partition(b"\r\n\r\n")
        first = head.split(b"\r\n")[0].decode(errors="replace")
        length = told_length(head)
        of = "" if length is None else f" of {length:,}"
        print(f"{first}: {len(body):,}{of} bytes, then {end}")


main(*sys.argv[1:])
