"""Answers and closes, with input unread, in 32 threads or processes at the same
moment: the first graceful ends that this machine sees, while the process that
finishes them is only being started. Prints how many answers came whole.

usage: together.py threads|processes
"""

import os
import socket
import sys
import threading

CLOSERS = 32
ANSWER = b"x" * 400_000


def serve(listener, ready, go):
    connection, _ = listener.accept()
    connection.recv(1, socket.MSG_PEEK)
    connection.setblocking(False)
    sent = connection.send(ANSWER)  # all fits into the kernel's buffer
    os.write(ready[1], b"r" if sent == len(ANSWER) else b"-")
    os.read(go[0], 1)
    connection.close()


def start(how, arguments):
    if how == "threads":
        threading.Thread(target=serve, args=arguments).start()
    elif not os.fork():
        os.close(arguments[2][1])
        serve(*arguments)
        os._exit(0)


def is_whole(client):
    size = 0
    try:
        while piece := client.recv(65536):
            size += len(piece)
    except OSError:
        return False
    return size == len(ANSWER)


def main(how):
    ready, go = os.pipe(), os.pipe()
    clients = []
    with socket.create_server(("127.0.0.1", 0), backlog=CLOSERS) as listener:
        for _ in range(CLOSERS):
            start(how, (listener, ready, go))
        for _ in range(CLOSERS):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            client.settimeout(60)
            client.connect(listener.getsockname())
            client.sendall(b"x" * 10)
            clients.append(client)
        said = b""
        while len(said) < CLOSERS:
            said += os.read(ready[0], CLOSERS)
    os.close(go[1])
    print(sum(map(is_whole, clients)) if said == b"r" * CLOSERS else said)


main(sys.argv[1])
