"""An application that refuses uploads, as any may: without reading them.

What follows is the server's doing: gunicorn's sync worker writes the answer and
closes the connection, whatever has arrived and was not read.
"""

ANSWER = b"".join(b"%07d\n" % n for n in range(50_000))  # 400,000 bytes


def app(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        status, body = "413 Content Too Large", ANSWER
    else:
        status, body = "200 OK", b"welcome\n"
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
