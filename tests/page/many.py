"""Prints the events of so many connections, for golden-compile: four servers, many peers.

usage: many.py COUNT
"""

import random
import sys

PROGRAMS = [("/usr/sbin/nginx", 80, 50), ("/usr/bin/gunicorn", 8000, 30), ("/opt/app/worker", 9000, 15), ("/usr/bin/redis-server", 6379, 5)]


def size(chance, mean, spread):
    return int(chance.lognormvariate(mean, spread))


def ends(chance, at):
    """What comes at the end of a connection: (time, event, its fields)."""
    which, sent, read = chance.random(), size(chance, 9, 2), size(chance, 6, 1.5)
    common = f"how=close sent={sent} received={read}"
    later = at + size(chance, 16, 2)
    if which < 0.12:
        site = hex(0x1000 + 16 * int(chance.expovariate(0.2)))
        yield at, "close", f"{common} state=ESTABLISHED outcome=reset-unread flags=accepted unread={size(chance, 7, 3) + 1} unacked={size(chance, 8, 3)} stack=1+{site}"
    elif which < 0.15:
        yield at, "close", f"{common} state=ESTABLISHED outcome=reset-linger flags=accepted unread=0 unacked={size(chance, 8, 2)} stack=1+0x9000"
    elif which < 0.45:
        yield at, "shutdown", "side=wr state=ESTABLISHED result=0"
        yield later, "close", f"{common} state=TIME-WAIT outcome=fin flags=accepted,peer-fin unread=0 unacked=0"
    elif which < 0.55:
        yield at, "close", f"{common} state=ESTABLISHED outcome=drain flags=accepted unread={read} unacked={sent}"
        yield later, "drain", f"drained={read} us={(later - at) // 1000} result=eof by=helper unacked=0 saved={sent}"
    elif which < 0.9:
        yield at, "close", f"{common} state=CLOSE-WAIT outcome=fin flags=accepted,peer-fin unread=0 unacked=0"
    elif which < 0.995:
        yield at, "close", f"{common} state=ESTABLISHED outcome=fin flags=accepted unread=0 unacked=0"


def main(count):
    chance = random.Random(1)
    events = []
    for number in range(count):
        at = int(1e9 + number * 600e9 / count + chance.random() * 2e8)
        which = chance.choices(range(4), [program[2] for program in PROGRAMS])[0]
        peer = f"{chance.choice([10, 10, 93, 203])}.{chance.randrange(4)}.{chance.randrange(256)}.{chance.randrange(1, 255)}:{chance.randrange(1024, 65535)}"
        if number % 10 == 0:
            peer = f"192.0.2.7:{1024 + number % 60000}"  # one that comes again and again
        who = f"pid={100 + which} sock={100 + which}.{number + 1} fd={chance.randrange(4, 900)}"
        events.append((at, "accept", f"{who} local=10.0.0.1:{PROGRAMS[which][1]} peer={peer}"))
        for time, event, fields in ends(chance, at + size(chance, 18.5, 1.6)):
            events.append((time, event, f"{who} {fields}"))
    print("file monotonic=1000000 boot=one host=web-1 limit=1073741824")
    for which, (path, _, _) in enumerate(PROGRAMS):
        print(f"process t={1000000 + which} pid={100 + which} ppid=1 start=exec exe={path}")
    print("module t=1000100 pid=100 module=1 path=/opt/app/lib.so")
    for time, event, fields in sorted(events, key=lambda one: one[0]):
        print(f"{event} t={time} {fields}")


main(int(sys.argv[1]))
