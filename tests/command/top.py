"""halfclose top on a terminal: an emulated one (pyte), with a recording that grows."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pyte

build, place = sys.argv[1:]
halfclose = os.path.join(build, "halfclose")
PATIENCE = 60  # seconds: bounds a hang, on a machine that is busy otherwise
RESET = """
import itertools, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
for _ in range(int(sys.argv[1])) if sys.argv[1] != "on" else itertools.count():
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.sendall(b"x")
    while not server.recv(1, socket.MSG_PEEK):
        pass
    server.close()
    if sys.argv[1] == "on":
        time.sleep(0.005)  # as fast as it can is none of the test
"""


def recorder(name, resets):
    """A program that makes so many, or goes "on" until it is killed."""
    env = dict(os.environ, LD_PRELOAD=os.path.join(build, "libhalfclose.so"), HALFCLOSE_LOG=os.path.join(place, name))
    return subprocess.Popen(["/usr/bin/python3", "-c", RESET, str(resets)], env=env)


def record(name, resets):
    if recorder(name, resets).wait(PATIENCE):
        sys.exit("the program that is recorded failed")


def say(name, wrong):
    print("not ok top: %s: %s" % (name, wrong) if wrong else "ok top: %s" % name, flush=True)


class Terminal:
    """The program in a terminal of its own, and what is on its screen."""

    def __init__(self, columns, rows, *arguments, command=(halfclose,), **environment):
        self.columns, self.rows = columns, rows
        self.bytes = b""
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.master, slave = pty.openpty()
        self.slave = slave
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        env = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8", **environment)
        env.pop("NO_COLOR", None)
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            os.closerange(3, 100)
            os.chdir(place)
            os.execvpe(command[0], [*command, "top", *arguments], env)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            data = os.read(self.master, 1 << 16)
            self.bytes += data
            self.stream.feed(data)

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def until(self, condition):
        """Is it true of the screen within a time that is long?"""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if condition(self.text()):
                return True
            self.read(0.1)
        return False

    def frames(self):
        return self.bytes.count(b"\x1b[H") - 1  # one is of the beginning

    def more_frames(self, count):
        """So many whole ones that are begun from now on; what was begun before ends first."""
        wanted = self.frames() + count + 1
        return self.until(lambda text: self.frames() >= wanted)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        self.screen.erase_in_display(2)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text)

    def wait(self, flags=0):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG | flags)
            if pid:
                return status
            self.read(0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def ended(self, status):
        """What is wrong with how it ended, and with what it left behind."""
        is_ = self.wait()
        if is_ is None:
            return "it did not end"
        wrong = self.given_back()
        if wrong:
            return wrong
        is_ = os.waitstatus_to_exitcode(is_)
        return None if is_ == status else "status %s, not %s" % (is_, status)

    def given_back(self):
        """What is wrong. What was written comes to this side in the kernel's own time."""
        end = time.monotonic() + 20
        while (wrong := self.not_given_back()) and time.monotonic() < end:
            self.read(0.1)
        return wrong

    def not_given_back(self):
        if termios.tcgetattr(self.slave) != self.before:
            return "the terminal has other settings than before"
        tail = self.bytes[self.bytes.rfind(b"\x1b[?1049h"):]
        for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?7l", b"\x1b[?7h")):
            if tail.rfind(off) < tail.rfind(on):
                return "%r was not taken back" % on
        return None

    def close(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.master)
        os.close(self.slave)


def test_growing():
    terminal = Terminal(80, 24, "-d", "0.2", "grows.hc")
    say("it waits for a recording that is to come",
        None if terminal.until(lambda text: "waiting for it" in text) else terminal.text())
    record("grows.hc", 3)
    say("what is recorded comes onto the screen",
        None if terminal.until(lambda text: " 3 unread" in text and "6 in all" in text) else terminal.text())
    record("grows.hc", 2)
    say("and what comes then",
        None if terminal.until(lambda text: " 5 unread" in text and "python3" in text) else terminal.text())
    record("grows.hc", 40)
    say("the worst place is named", None if terminal.until(lambda text: "45 unread-close" in text) else terminal.text())
    say("80 x 24 are used", None if terminal.until(lambda text: "PROGRAM" in text and "WORST PLACES" in text)
        else terminal.text())
    terminal.resize(40, 10)
    say("a smaller window: 40 x 10",
        None if terminal.until(lambda text: "WORST PLACES" in text and "PROGRAM" not in text and "abrupt" in text and
                               text.startswith("halfclose top")) else terminal.text())
    for columns, rows in ((20, 5), (10, 3), (4, 2), (1, 1), (200, 60)):
        terminal.resize(columns, rows)
        drawn = terminal.more_frames(2)
        title = terminal.screen.display[0]
        say("%d x %d" % (columns, rows), None if drawn and title[:1] in "h." and os.waitpid(terminal.pid, os.WNOHANG) == (0, 0)
            else "its title is %r" % title)
    say("the large one has all of it",
        None if terminal.until(lambda text: "PROGRAM" in text and "45 unread" in text) else terminal.text())
    terminal.type(b"q")
    say("q ends it", terminal.ended(0))
    say("the screen is never emptied", None if terminal.bytes.count(b"\x1b[2J") == 1 and terminal.frames() > 5 else
        "%d times in %d frames" % (terminal.bytes.count(b"\x1b[2J"), terminal.frames()))
    terminal.close()


def rate(text):
    """0.0 stands there before anything was read."""
    return max((float(line.split()[1].split("/")[0].replace(",", "")) for line in text.splitlines()
                if line.startswith("connections") and "/s" in line), default=0)


def test_rate():
    """Of the last whole second: while it goes on, sooner or later one is seen."""
    terminal = Terminal(80, 24, "-d", "0.2", "rate.hc")
    program = recorder("rate.hc", "on")
    say("connections a second", None if terminal.until(lambda text: rate(text) > 9) else terminal.text())
    program.kill()
    program.wait()
    say("and none when it is over", None if terminal.until(lambda text: "connections" in text and not rate(text)) else terminal.text())
    terminal.close()


def test_writes():
    trace = os.path.join(place, "writes")
    terminal = Terminal(80, 24, "-d", "0.1", "grows.hc",
                        command=("strace", "-o", trace, "-s", "9", "-e", "trace=write", halfclose),
                        ASAN_OPTIONS="detect_leaks=0")  # traced, it can't look for them
    name = "each frame is one write"
    if not terminal.until(lambda text: "45 unread" in text):
        print("skip top: %s: strace may not: %s" % (name, terminal.text()))
        return terminal.close()
    terminal.more_frames(8)
    terminal.type(b"q")
    say("traced, it ends well", terminal.ended(0))
    with open(trace) as file:
        writes = [line for line in file if line.startswith("write(1,")]
    frames = [line for line in writes if '"\\33[H' in line]
    say(name, None if len(frames) > 5 and len(writes) == len(frames) + 2 else "".join(writes))
    terminal.close()


def test_signals():
    for number, status in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGQUIT, -3),
                           (signal.SIGSEGV, -11), (signal.SIGABRT, -6)):
        terminal = Terminal(80, 24, "grows.hc")
        terminal.until(lambda text: "45 unread" in text)
        os.kill(terminal.pid, number)
        say("the terminal is given back: %s" % number.name, terminal.ended(status))
        terminal.close()
    terminal = Terminal(80, 24, "grows.hc")
    terminal.until(lambda text: "45 unread" in text)
    terminal.type(b"\x03")
    say("^C ends it", terminal.ended(0))
    terminal.close()


def test_stop():
    terminal = Terminal(80, 24, "-d", "0.2", "grows.hc")
    terminal.until(lambda text: "45 unread" in text)
    os.kill(terminal.pid, signal.SIGTSTP)
    status = terminal.wait(os.WUNTRACED)
    say("^Z stops it", None if status is not None and os.WIFSTOPPED(status) else "status %s" % status)
    say("and gives the terminal back", terminal.given_back())
    terminal.screen.reset()
    os.kill(terminal.pid, signal.SIGCONT)
    say("continued, it is there again", None if terminal.until(lambda text: "45 unread" in text) else terminal.text())
    terminal.type(b"q")
    say("and ends by q", terminal.ended(0))
    terminal.close()


def test_no_keys():
    """Standard input is none: the keys come from the terminal all the same."""
    terminal = Terminal(80, 24, "-d", "0.2", "grows.hc",
                        command=("sh", "-c", 'exec "$0" "$@" < /dev/null', halfclose))
    terminal.until(lambda text: "45 unread" in text)
    os.unlink(os.path.join(place, "grows.hc"))
    say("a recording that is deleted is told on the page",
        None if terminal.until(lambda text: "grows.hc: was deleted or moved" in text) else terminal.text())
    terminal.type(b"Q")
    say("Q ends it, too", terminal.ended(0))
    terminal.close()


test_growing()
test_rate()
test_writes()
test_signals()
test_stop()
test_no_keys()
