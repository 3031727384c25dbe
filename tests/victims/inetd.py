"""inetd with a parent that is slow to close its own descriptor of the connection, as
if others had the processor: the child has replaced its program by then.

usage: inetd.py PORT PROGRAM ARGUMENT…
"""

import os
import signal
import socket
import sys
import time

SLOW = 0.003  # seconds


def main(port, *program):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            connection, _ = listener.accept()
            if not os.fork():
                for fd in range(3):
                    os.dup2(connection.fileno(), fd)
                os.execv(program[0], program)
            until = time.monotonic() + SLOW
            while time.monotonic() < until:
                pass
            connection.close()


main(*sys.argv[1:])
