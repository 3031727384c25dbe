"""What single tests of a suite said, and whether two ways of running it agree.

  results.py read READER DIRECTORY      prints a line for each test: OUTCOME NAME
  results.py judge ROW MODE [last]      status 0: same, 1: not the same, 2: run both once more,
                                        3: neither comes to its end; last: no more runs
  results.py table DIRECTORY            Markdown, a line for each row that was judged

A run is a directory: `out` (what was said), `status` (how it ended) and `results`
(of the first command). A row's directory has bare.1, MODE.1, bare.2 …
"""
import json
import math
import re
import sys
import xml.etree.ElementTree
from collections import Counter
from pathlib import Path

# ---- Readers: what a suite said -> (outcome, name) …; outcomes are ok, fail, skip ----


def junit(place):
    """CPython's regrtest"""
    file = place / "junit.xml"
    if not file.exists():
        return  # it died: the whole suite is missing
    for case in xml.etree.ElementTree.parse(file).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            outcome = "fail"
        else:
            outcome = "skip" if case.find("skipped") is not None else "ok"
        yield outcome, case.get("name")


def lines(place):
    return (place / "out").read_text(errors="replace").splitlines()


MEASURES_THE_MACHINE = "linear_performance"


def only_too_slow(place):
    """Did a test fail that is left out?"""
    return any(re.match(rf"FAIL: \w*{MEASURES_THE_MACHINE}", line) for line in lines(place))


def unittest(place):
    """unittest -v: what a test prints itself may stand between name and outcome"""
    name = None
    for line in lines(place):
        if found := re.match(r"(\w+ \([\w.]+\))(?:$|.* \.\.\. ?)", line):
            name = found[1]
        found = re.search(r"(ok|FAIL|ERROR|skipped .*|expected failure)$", line)
        if name and MEASURES_THE_MACHINE in name:
            name = None
        if name and found:
            word = found[1].split()[0]
            yield {"ok": "ok", "expected": "ok", "skipped": "skip"}.get(word, "fail"), name
            name = None


def trial(place):
    """Twisted's verbose reporter: modules, classes and tests by indentation"""
    module = group = name = ""
    words = {"OK": "ok", "TODO": "ok", "SKIPPED": "skip"}
    for line in lines(place):
        if re.match(r"=====", line):
            return  # the errors follow, once more
        if re.match(r"[a-z][\w.]*$", line):
            module = line
        elif re.match(r"  \w+$", line):
            group = line.strip()
        elif found := re.match(r"    (\w+) \.\.\.", line):
            name = found[1]
        if name and (found := re.search(r"\[(OK|FAIL|ERROR|SKIPPED|TODO|SUCCESS!\?!)\]$", line)):
            yield words.get(found[1], "fail"), f"{module}.{group}.{name}"
            name = ""


def tcltest(place):
    suite = ""
    for line in lines(place):
        if found := re.match(r"SUITE (.*)", line):
            suite = found[1] + " "
        elif found := re.match(r"\+\+\+\+ (\S+) (PASSED|SKIPPED)", line):
            yield "ok" if found[2] == "PASSED" else "skip", suite + found[1]
        elif found := re.match(r"==== (\S+) .*FAILED$", line):
            if line.count(" ") > 2:  # the same is said once more, in short
                yield "fail", suite + found[1]


def redis(place):
    for line in lines(place):
        line = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if found := re.match(r"\[(ok|err|exception|skip|ignore|timeout)\]: (.*)", line):
            name = re.sub(r" \(\d+ ms\)$", "", found[2])
            outcome = {"ok": "ok", "skip": "skip", "ignore": "skip"}.get(found[1], "fail")
            yield outcome, re.sub(r"(\d+\.\d+|\d{4,}|0x[0-9a-f]+)", "N", name.split(" in tests/")[0])


def tap(place):
    suite = ""
    for line in lines(place):
        if found := re.match(r"SUITE (.*)", line):
            suite = found[1] + " "
        elif found := re.match(r"(ok|not ok) \d+ ?-? ?(.*)", line):
            name, _, directive = found[2].partition("#")
            outcome = "ok" if found[1] == "ok" else "fail"
            # a race that does not come about is chance, and no result
            if re.match(r"\s*SKIP", directive, re.I) and "to reproduce race" not in directive:
                outcome = "skip"
            yield outcome, suite + name.strip()
        elif re.match(r"Bail out!", line):
            yield "fail", suite + "bailed out"


def tinytest(place):
    """libevent's: `group/name: [forking] OK`, what a test says between them; it tries some again"""
    name, failed = None, None
    for line in lines(place):
        if re.search(r"\[RETRYING ", line):
            failed = None
        if found := re.match(r"([\w+-]+/[\w/+-]+): ", line):
            if failed:
                yield "fail", failed
            name, failed = found[1], None
        if name and (found := re.search(r"\b(OK|SKIPPED|DISABLED)$|\[(\w+) FAILED\]", line)):
            if found[1]:
                yield "ok" if found[1] == "OK" else "skip", name
            else:
                failed = name
            name = None
    if failed:
        yield "fail", failed


READERS = {f.__name__: f for f in (junit, unittest, trial, tcltest, redis, tap, tinytest)}


def read(reader, place):
    place, seen, failed = Path(place), Counter(), False
    for outcome, name in READERS[reader](place):
        name = " ".join(name.split())
        seen[name] += 1
        failed = failed or outcome == "fail"
        print(outcome, name if seen[name] == 1 else f"{name} (no. {seen[name]})")
    ended_well = (place / "status").read_text().strip() == "0" or (not failed and only_too_slow(place))
    print("ok" if ended_well else "fail", "(exit status)")


# ---- Judging ----


def load(run):
    found = {}
    for line in (run / "results").read_text().splitlines():
        outcome, name = line.split(" ", 1)
        found[name] = outcome
    return found


def runs(row, mode):
    """Those that came to their end, and how often one did or did not"""
    ended, ends = [], Counter()
    for run in sorted(row.glob(mode + ".*")):
        stopped = "stopped" in (run / "status").read_text()
        ends["stopped" if stopped else "ended"] += 1
        if not stopped:
            ended.append(load(run))
    return ended, ends


def outcomes(found, name):
    return Counter(r.get(name, "absent") for r in found)


def count(counted):
    total = sum(counted.values())
    return ", ".join(f"{word} {n}/{total}" for word, n in sorted(counted.items()))


ENOUGH = 0.05


def chance(one, two):
    """If what a mode gives and bare runs never did has nothing to do with the mode: how
    probable is it that all of these fall to the mode's runs?"""
    of_mode, all_runs = sum(two.values()), sum(one.values()) + sum(two.values())
    new = sum(n for word, n in two.items() if word not in one)
    return math.comb(of_mode, new) / math.comb(all_runs, new)


def slower(row, mode):
    """Did each run take twice as long as the bare one just before it, and three seconds? What
    else the machine does may have begun between one round and another."""
    rounds = [[float((row / f"{way}.{run.suffix[1:]}" / "seconds").read_text()) for way in ("bare", mode)]
              for run in row.glob(mode + ".*")]
    bare, other = min(rounds, key=lambda times: times[1] - 2 * times[0])
    if other > 2 * bare + 3:
        yield {"test": "(time)", "bare": f"{bare:.1f} s", mode: f"{other:.1f} s", "chance": 0}


def patterns(row, mode):
    """Those tests of a row that the file `differences` has an explanation for"""
    for line in (Path(__file__).parent / "differences").read_text().splitlines():
        words = line.split(None, 3)
        if words[:2] == [mode, row]:
            yield re.compile(re.escape(words[3]).replace(r"\*", ".*")), words[2].endswith("?")


def explain(differ, known, passed, mode):
    """Takes from `differ` what is explained: failures, and with them the status of the whole.
    What differs no longer although it is known to, is a difference, too."""
    known = list(known)

    def is_known(one, may):
        return may or one["test"] == "(time)" or one[mode].startswith("fail") and "," not in one[mode]

    found = [one for one in differ if any(p.fullmatch(one["test"]) and is_known(one, may) for p, may in known)]
    if found:
        found += [one for one in differ if one["test"] == "(exit status)"]
    left = [one for one in differ if one not in found]
    seen = {one["test"] for one in differ}
    for pattern, may in known:
        if may:
            continue
        # how long it takes depends on what else the machine does
        matching = [name for name in passed if pattern.fullmatch(name)] or [pattern.pattern.replace(".*", "*").replace("\\", "")]
        left += [{"test": name, "bare": "as here", mode: "as bare, where a difference is known", "chance": 0}
                 for name in matching if name not in seen and name != "(time)"]
    return found, left


def judge(row, mode, last=""):
    """A test is flaky if bare runs of it differ, and the mode gives nothing that bare did not;
    and, at last, if what the mode gives comes seldom enough to be chance."""
    row = Path(row)
    (bare, bare_ends), (other, other_ends) = runs(row, "bare"), runs(row, mode)
    if not bare or not other:
        print("# stopped each time: " + ", ".join(which for which, found in (("bare", bare), (mode, other)) if not found))
        return 3 if not bare and not other and bare_ends["stopped"] > 1 else 2
    differ, flaky = [], []
    names = sorted({name for run in bare + other for name in run})
    found = [(name, outcomes(bare, name), outcomes(other, name)) for name in names]
    for name, one, two in [*found, ("(end)", bare_ends, other_ends)]:
        if len(one) == 1 and one.keys() == two.keys():
            continue
        found = {"test": name, "bare": count(one), mode: count(two), "chance": chance(one, two)}
        (flaky if len(one) > 1 and two.keys() <= one.keys() else differ).append(found)
    differ += slower(row, mode)
    passed = [name for name in names if outcomes(bare, name).keys() == {"ok"}]
    explained, differ = explain(differ, patterns(row.name, mode), passed, mode)
    if last:
        flaky += [one for one in differ if one["chance"] > ENOUGH]
        differ = [one for one in differ if one["chance"] <= ENOUGH]
    summary = {"tests": len(bare[0]) - 1, "bare": Counter(bare[0].values()), "mode": Counter(other[0].values()),
               "rounds": len(bare), "differ": differ, "explained": explained, "flaky": flaky}
    (row / "summary.json").write_text(json.dumps(summary))
    for kind, found in ("differs", differ), ("explained", explained), ("flaky", flaky):
        for one in found:
            print(f"# {kind}: {one['test']}: bare {one['bare']}; {mode} {one[mode]}")
    if not any(outcome == "ok" and name != "(exit status)" for run in bare for name, outcome in run.items()):
        print("# no test passed bare")
        return 1
    return (1 if last else 2) if differ else 0


def tests(found):
    """Without what is said of the whole run"""
    return [one for one in found if not one["test"].startswith("(")]


def brief(row):
    found = json.loads((Path(row) / "summary.json").read_text())
    print(f"{found['tests']} tests, {len(found['differ'])} differ, {len(tests(found['explained']))} more are explained, "
          f"{len(found['flaky'])} flaky,")


# ---- The table ----


def cell(counted):
    return " / ".join(str(counted.get(word, 0)) for word in ("ok", "fail", "skip"))


def number(file):
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0


def table(directory):
    print("| suite | tests | bare: ok / fail / skip | preloaded | differ | explained | flaky | processes, connections | resets: kernel, reported | seconds: bare, preloaded |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for file in sorted(Path(directory).glob("*/summary.json"), key=lambda p: number(p.parent / "order")):
        row, found = file.parent, json.loads(file.read_text())
        mode = (row / "mode").read_text().strip()
        for counted, run in (found["bare"], "bare.1"), (found["mode"], mode + ".1"):
            counted[load(row / run)["(exit status)"]] -= 1  # it is no test
        report = {}
        if (row / f"{mode}.1" / "report.json").exists():
            report = json.loads((row / f"{mode}.1" / "report.json").read_text())
        reported = report.get("totals", {}).get("outcome", {}).get("reset-unread", "-")
        seconds = [(row / which / "seconds").read_text().strip() for which in ("bare.1", mode + ".1")]
        print(f"| {row.name} | {found['tests']} | {cell(found['bare'])} | {cell(found['mode'])} | {len(found['differ'])} | "
              f"{len(tests(found['explained']))} | {len(found['flaky'])} | {report.get('processes', '-')}, {report.get('connections', '-')} | "
              f"{number(row / (mode + '.1') / 'aborts')}, {reported} | {seconds[0]}, {seconds[1]} |")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    sys.exit({"read": read, "judge": judge, "brief": brief, "table": table}[what](*rest))
