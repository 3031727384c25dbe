"""An application that refuses uploads, and answers at length: without reading."""

LINES = [b"%07d\n" % n for n in range(125_000)]
UPLOAD, TAIL = b"".join(LINES[:50_000]), b"".join(LINES)


def app(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        status, body = "413 Content Too Large", UPLOAD
    else:
        status, body = "200 OK", TAIL
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
