"""A server that answers without reading, and its client, in one program.

both.py [DROP-TO-UID]: prints "whole" where the client gets the answer and the end of
file, "reset" where it does not. With a uid the server becomes that user first.
"""
import os
import socket
import sys

ANSWER = b"a" * 1000

listener = socket.create_server(("127.0.0.1", 0))
if len(sys.argv) > 1:
    os.setgroups([])
    os.setresuid(int(sys.argv[1]), int(sys.argv[1]), int(sys.argv[1]))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"upload")
while len(server.recv(6, socket.MSG_PEEK)) < 6:
    pass
server.sendall(ANSWER)
server.close()
received = b""
try:
    # more of the upload comes after the close: only who reads on keeps it from a reset
    for _ in range(20):
        client.sendall(b"more of it")
    client.shutdown(socket.SHUT_WR)
    while data := client.recv(100):
        received += data
except OSError:
    pass
print("whole" if received == ANSWER and not data else "reset")
