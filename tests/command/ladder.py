"""Ends connections in each way, and asks the kernel (sock_diag, as ss does) for both ends after each call.

As 'ladder.py drive FILE' it runs preloaded and writes what the kernel said, as JSON, and
kills itself, so that what is open stays so; as 'ladder.py peer' it is an end that nobody
records; 'ladder.py check HALFCLOSE RECORDING FILE'
holds the ladders against it:

- what the kernel showed comes in the ladder, in this order;
- what is in the ladder and not shown is nothing but what lasts for a round trip;
- the last of both is the same.
"""
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time

# who, what; c is the client's end, s the server's
WAYS = {
    "half-close by the server": "c.send9 s.recv9 s.send26 s.shut c.recv26 c.close s.close",
    "half-close by the client": "c.send9 c.shut s.recv9 s.send5 s.close c.recv5 c.close",
    "half-close, cut": "c.send9 s.recv9 s.shut s.close c.close",
    "active": "c.send9 s.recv9 s.close c.close",
    "passive by shutdown": "c.close s.shut s.close",
    "reset with unread input": "c.send9 s.recv8 s.send26 s.close c.close",
    "reset after the peer's FIN": "c.send9 c.shut s.close c.close",
    "reset after a half-close": "s.shut c.send9 s.close c.close",
    "SO_LINGER 0": "c.send9 s.recv9 s.linger s.close c.close",
    "SO_LINGER 0 of the client": "c.linger c.close s.close",
    "late data": "s.close c.send9 c.close",
    "late data after a half-close": "s.shut s.close c.send9 c.close",
    "SHUT_RDWR": "s.rdwr s.close c.close",
    "SHUT_RDWR, and data": "s.rdwr c.send9 s.close c.close",
    "active, with full buffers": "s.fill s.close c.drain c.close",
    "reset with full buffers": "c.send9 s.fill s.close c.close",
    "SO_LINGER 0 with full buffers": "s.fill s.linger s.close c.close",
    "reset after a half-close with full buffers": "c.send9 s.fill s.shut s.close c.close",
    "both reset": "c.send9 s.send9 s.close c.close",
    "open": "c.send9 s.recv9",
    "open, half-closed": "c.send9 s.shut",
    "open, half-closed by both": "c.shut s.shut",
}

# With the network down in between, so that both FINs are under way at once.
CROSSING = {
    "both close at once": "net.down c.close s.close net.up",
    "both half-close at once": "net.down c.shut s.shut net.up c.close s.close",
}
# By a library that makes ends graceful (HALFCLOSE_GRACEFUL=all HALFCLOSE_DRAIN=now).
GRACEFUL = {
    "drained until it was quiet": "c.send9 s.recv8 s.close c.close",
    "drained to the end": "c.send9 c.shut s.recv8 s.close c.close",
}
# What is on its way at a shutdown is not recorded: nor that the FIN waits behind it.
UNSEEN = {
    "half-close with full buffers": "s.fill s.shut c.drain c.close s.close",
}
ALL = {**WAYS, **CROSSING, **GRACEFUL, **UNSEEN}


class End:
    """A socket and what can be done with it."""

    def __init__(self, sock):
        self.sock = sock

    def do(self, call):
        name = call.rstrip("0123456789")
        size = int(call[len(name):] or 0)
        if name == "send":
            self.sock.sendall(b"x" * size)
        elif name == "recv":
            while size:
                size -= len(self.sock.recv(size))
        elif name == "fill":
            self.sock.setblocking(False)
            try:
                while True:
                    self.sock.send(b"x" * 65536)
            except BlockingIOError:
                self.sock.setblocking(True)
        elif name == "drain":
            while self.sock.recv(65536):
                pass
        elif name == "shut":
            self.sock.shutdown(socket.SHUT_WR)
        elif name == "rdwr":
            self.sock.shutdown(socket.SHUT_RDWR)
        elif name == "linger":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif name == "close":
            self.sock.close()


class Remote:
    """The same in a process without the library."""

    def __init__(self):
        env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith("HALFCLOSE")}
        self.process = subprocess.Popen([sys.executable, __file__, "peer"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=env, close_fds=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def do(self, call):
        self.ask(call)


def peer():
    end = None
    for line in sys.stdin:
        words = line.split()
        if words[0] == "listen":
            listener = socket.create_server(("127.0.0.1", 0))
            print(listener.getsockname()[1], flush=True)
        elif words[0] == "accept":
            end = End(listener.accept()[0])
            print("ok", flush=True)
        elif words[0] == "connect":
            end = End(socket.create_connection(("127.0.0.1", int(words[1]))))
            print(end.sock.getsockname()[1], flush=True)
        else:
            end.do(words[0])
            print("ok", flush=True)


BRIEF = {"SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "LAST-ACK", "CLOSING"}
STATES = ["", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED",
          "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECEIVED"]


def dump():
    """(local port, remote port) -> state, of all connections, by sock_diag(7)."""
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as ask:
        request = struct.pack("=BBBBI48x", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xffffffff)
        ask.send(struct.pack("=IHHII", 16 + len(request), 20, 0x301, 1, 0) + request)
        while True:
            data = ask.recv(1 << 20)
            while data:
                size, kind = struct.unpack_from("=IH", data)
                if kind == 3:  # NLMSG_DONE
                    return found
                assert kind == 20, kind
                found[struct.unpack_from("!HH", data, 20)] = STATES[data[17]]
                data = data[(size + 3) & ~3:]


def settled(pairs, repeats):
    """What the kernel shows of both ends; what it does not show is CLOSED. Delayed
    acknowledgements take 40 ms, where the CPU whose timer it is does not stand still
    for a moment: what has stayed for six times as long. repeats: until all that was
    lost has been sent again, which takes as long as it was lost."""
    def look():
        found = dump()
        return [[found.get((c, s), "CLOSED"), found.get((s, c), "CLOSED")] for c, s in pairs]

    last, since = look(), time.monotonic()
    end = since + (30 if repeats else 5)
    while time.monotonic() < end and (
            time.monotonic() - since < 0.25 or (repeats and any(BRIEF & set(pair) for pair in last))):
        time.sleep(0.005)
        now = look()
        if now != last:
            last, since = now, time.monotonic()
    return last


class Run:
    """One way to end, and which of its ends are recorded: "cs", "c" or "s"."""

    def __init__(self, way, recorded):
        self.way, self.recorded, self.seen = way, recorded, []
        self.calls = ALL[way].split()
        self.remote = remote = Remote() if len(recorded) == 1 else None
        if recorded == "c":
            self.server = int(remote.ask("listen"))
            client = socket.create_connection(("127.0.0.1", self.server))
            remote.ask("accept")
            self.client = client.getsockname()[1]
            self.ends = {"c": End(client), "s": remote}
            return
        listener = socket.create_server(("127.0.0.1", 0))
        self.server = listener.getsockname()[1]
        if remote:
            self.client = int(remote.ask("connect %d" % self.server))
            self.ends = {"c": remote}
        else:
            client = socket.create_connection(("127.0.0.1", self.server))
            self.client = client.getsockname()[1]
            self.ends = {"c": End(client)}
        self.ends["s"] = End(listener.accept()[0])
        listener.close()

    def step(self):
        """Does its next call; true: the network has come up again."""
        who, call = self.calls.pop(0).split(".") if self.calls else ("", "")
        if who == "net":
            set_loopback(call == "up")
        elif who:
            self.ends[who].do(call)
        return (who, call) == ("net", "up")

    def result(self):
        return {key: getattr(self, key) for key in ("way", "recorded", "client", "server", "seen")}


def set_loopback(up):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        fcntl.ioctl(ask, 0x8914, struct.pack("16sH22x", b"lo", 1 if up else 0))  # SIOCSIFFLAGS, IFF_UP


def play(ways, sides):
    """All of them at once, a call of each at a time."""
    runs = [Run(way, recorded) for way in ways for recorded in sides]
    repeats = False
    for _ in range(1 + max(len(way.split()) for way in ways.values())):
        for run, state in zip(runs, settled([(run.client, run.server) for run in runs], repeats)):
            run.seen.append(state)
        for run in runs:
            repeats |= run.step()
    return runs


def drive(path):
    runs = play(GRACEFUL if os.environ.get("HALFCLOSE_GRACEFUL") else {**WAYS, **UNSEEN}, ("cs", "c", "s"))
    for way, calls in CROSSING.items():
        if os.environ.get("LADDER_ALONE"):  # in a network of its own
            runs += play({way: calls}, ("cs",))
    with open(path, "w") as file:
        json.dump([run.result() for run in runs], file)
    for run in runs:
        if run.remote:
            run.remote.process.kill()
    os.kill(os.getpid(), 9)  # what is open stays so in the recording


def distinct(sequence):
    return [pair for i, pair in enumerate(sequence) if i == 0 or pair != sequence[i - 1]]


def compare(ladder, traced, seen):
    """What is wrong, or nothing."""
    order = ("traced", "peer") if traced == "c" else ("peer", "traced")
    steps = [[step["states"][end] for end in order] for step in ladder["steps"] if not step.get("supposed")]
    drawn, shown = distinct(steps), distinct(seen)
    left = list(shown)
    for pair in drawn:
        if left and pair == left[0]:
            left.pop(0)
        elif not BRIEF & set(pair) and pair not in shown:
            return "%s is drawn, and the kernel showed %s" % (pair, shown)
    if left:
        return "the kernel showed %s, and %s is drawn" % (shown, drawn)
    if drawn[-1] != shown[-1]:
        return "it ends with %s, and not with %s" % (drawn[-1], shown[-1])
    return None


def known_of(result):
    """Where one end is recorded, what came after its last call is nobody's knowledge;
    nor what waits in the buffers of an end that is not, or at a shutdown."""
    calls = [call.split(".")[0] for call in ALL[result["way"]].split()]
    if len(result["recorded"]) == 1:
        while calls and calls[-1] not in result["recorded"]:
            calls.pop()
    seen = result["seen"][:len(calls) + 1]
    if result["way"] in UNSEEN or ("full buffers" in result["way"] and "s" not in result["recorded"]):
        seen = [pair for pair in seen if "FIN-WAIT-1" not in pair]
    return seen


def check(halfclose, recording, path):
    with open(path) as file:
        results = json.load(file)
    listed = json.loads(subprocess.run([halfclose, "show", "--json", "-n", "10000", recording], check=True,
                                       capture_output=True).stdout)
    socks = {(c["local"], c.get("peer")): c["sock"] for c in listed["connections"]}
    for result in results:
        for traced in result["recorded"]:
            ends = ["127.0.0.1:%d" % result[end] for end in ("client", "server")]
            sock = socks.get(tuple(ends if traced == "c" else ends[::-1]))
            name = "ladder: %s, %s recorded, seen from %s" % (
                result["way"], {"cs": "both ends", "c": "the client", "s": "the server"}[result["recorded"]],
                {"c": "the client", "s": "the server"}[traced])
            if not sock:
                print("not ok %s: it is not in the recording" % name)
                continue
            shown = json.loads(subprocess.run([halfclose, "show", "--json", recording, str(sock)], check=True,
                                              capture_output=True).stdout)
            wrong = compare(shown["ladder"], traced, known_of(result))
            print("not ok %s: %s" % (name, wrong) if wrong else "ok %s" % name)


if sys.argv[1] == "peer":
    peer()
elif sys.argv[1] == "drive":
    drive(sys.argv[2])
else:
    check(*sys.argv[2:])
