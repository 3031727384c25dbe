"""Closes connections with unread input in code of many shapes, and prints of each who
the callers are by Python's own word: a line of JSON, innermost first."""
import asyncio, contextlib, functools, json, random, socket, sys, threading, traceback

listener = socket.create_server(("127.0.0.1", 0))
lock = threading.Lock()


def pair():
    with lock:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    client.sendall(b"unread")
    server.recv(1)
    return client, server


class Connection:
    """close() tells who calls it, and does it."""

    def __init__(self):
        self.client, self.server = pair()
        self.port = self.client.getsockname()[1]

    def close(self):
        callers = [[f.f_code.co_qualname, f.f_code.co_filename, line]
                   for f, line in traceback.walk_stack(sys._getframe(1))]
        print(json.dumps({"port": self.port, "callers": callers}), flush=True)
        self.server.close()


def plain():
    Connection().close()


def over_lines(connection=None):
    connection = Connection()
    (
        connection
        .close(
        )
    )


def in_arguments():
    connection = Connection()
    print(end=str(
        connection.close()
        or "")
        + "",
        file=sys.stderr)


def in_a_loop():
    for i in range(3):
        connection = Connection()
        if i == 1:
            connection.close(
            )
        else:
            [c.close() for c in [connection]]


def generator():
    connection = Connection()
    yield
    connection.close()
    yield


def generators():
    for _ in generator():
        pass
    any(Connection().close() for _ in range(2))


def in_finally():
    connection = Connection()
    try:
        try:
            raise ValueError
        finally:
            connection.close()
    except ValueError:
        with contextlib.closing(Connection()) as other:
            pass


@functools.lru_cache(
    maxsize=None
)
def decorated():
    Connection().close()


class größe:
    connection = None

    def __del__(self):
        if self.connection:
            self.connection.close()

    @property
    def attribute(self):
        return (lambda: Connection().close())()

    @staticmethod
    def of_a_class(depth):
        return größe.of_a_class(depth - 1) if depth else Connection().close()


def deleted():
    it = größe()
    it.connection = Connection()
    del it


def sorted_by():
    sorted([1], key=lambda _: Connection().close() or 0)


async def task():
    await asyncio.sleep(0)
    Connection().close()


def far_down():
    space = "\n" * 4000
    exec(compile("def far(make):\n a = make()" + space + "\n a.close(\n" + space + ")\nfar(make)\n", "€/far.py", "exec"),
         {"make": Connection})


def random_code(seed):
    """Statements and expressions over lines, with loops that go back."""
    rng = random.Random(seed)
    lines = ["def f(make):"]
    for i in range(rng.randrange(1, 40)):
        lines += [
            ["    x = make()", *[""] * rng.randrange(0, 300), "    x.close()"],
            ["    for i in range(2):", "        make(", *[" "] * rng.randrange(5), "        ).close()"],
            ["    y = [make()", "         .close()", "         for _ in", "         range(1)]"],
            ["    z = (1 + (2 if make().close()", "    else 3) *", "      4)"],
            ["    " + "a = 1; " * rng.randrange(100) + "make().close()"],
            ["    while True:", "        try:", "            make().close()", "        finally:", "            break"],
        ][rng.randrange(6)]
    exec(compile("\n".join(lines) + "\nf(make)\n", f"random{seed}.py", "exec"), {"make": Connection})


plain()
over_lines()
in_arguments()
in_a_loop()
generators()
in_finally()
decorated()
deleted()
größe().attribute
größe.of_a_class(30)
sorted_by()
asyncio.run(task())
far_down()
for seed in range(int(sys.argv[1])):
    random_code(seed)
threads = [threading.Thread(target=lambda: [plain() for _ in range(20)]) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
