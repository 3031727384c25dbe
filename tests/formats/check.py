"""check.py FORMAT DIRECTORY…: is DIRECTORY/FORMAT what FORMAT's readers expect, and does
it say what the report beside it says, which is called json? Prints why not, a line each."""
import collections
import csv
import json
import os
import re
import sys

kind = sys.argv[1]
wrong = []


def must(condition, what):
    if not condition:
        wrong.append(os.path.basename(os.path.dirname(directory)) + ": " + what)


def check_sarif():
    import jsonschema

    log = json.loads(text)
    with open(os.path.join(os.path.dirname(__file__), "sarif.schema.json")) as schema:
        for error in jsonschema.Draft7Validator(json.load(schema)).iter_errors(log):
            must(False, "/".join(map(str, error.path)) + ": " + error.message)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        must(rule["id"] == result["ruleId"], "ruleIndex is another rule's")
        must(rule["defaultConfiguration"]["level"] == result["level"], "the level is not the rule's")
        for flow in result.get("codeFlows", []):
            calls = flow["threadFlows"][0]["locations"]
            must(calls[::-1] == result["stacks"][0]["frames"], "the flow is not the stack's")
    names = [result["partialFingerprints"]["halfcloseSite/v1"] for result in run["results"]]
    must(len(set(names)) == len(names), "two results have one fingerprint")
    is_ = [(result["ruleId"], result["occurrenceCount"], result["properties"]["bytes"]) for result in run["results"]]
    want = [(finding["rule"], finding["count"], finding["bytes"]) for finding in report["findings"]]
    must(is_ == want, "results are not the findings")
    notes = len(run["invocations"][0]["toolExecutionNotifications"])
    must((notes > 0) == any(report[key] for key in ("lost_events", "damaged", "unwritten")) or notes == 1,
         "what is missing is not told")


def check_trace():
    trace = json.loads(text)
    stacks, named, ends = collections.defaultdict(list), set(), collections.Counter()
    within = collections.Counter()
    for event in trace["traceEvents"]:
        phase = event["ph"]
        must({"ph", "name", "pid", "tid"} <= set(event), "an event lacks what each must have")
        if phase == "M":
            must(event["name"] == "process_name" and event["args"]["name"], "metadata names nothing")
            named.add(event["pid"])
            continue
        must(event["pid"] in named, "a track has no name")
        must(isinstance(event["ts"], (int, float)) and event["ts"] >= 0, "no time")
        must(event["cat"] == "connection" and int(event["id"], 16) > 0, "no id")
        open_ = stacks[event["pid"], event["id"]]
        if phase == "b":
            must(not open_ or open_[-1][1] <= event["ts"], "a phase begins before its connection")
            open_.append((event["name"], event["ts"]))
            if len(open_) == 1:
                ends[event["name"]] += 1
        elif phase == "n":
            must(open_ and open_[-1][1] <= event["ts"], "an instant outside its connection")
        elif phase == "e":
            name, begin = open_.pop() if open_ else (None, 0)
            must(name == event["name"], "an end without a begin")
            must(max(begin, within[event["pid"], event["id"]]) <= event["ts"], "an end before what is within")
            within[event["pid"], event["id"]] = event["ts"]
        else:
            must(False, "no such phase: " + phase)
    must(not any(stacks.values()), "a slice never ends")
    want = {name: count for name, count in report["totals"]["teardown"].items() if count}
    must(dict(ends) == want, "the slices are not the connections: %s, not %s" % (dict(ends), want))


def check_csv():
    must(not re.search(r"(?<!\r)\n", text), "a line does not end with CR LF")
    rows = list(csv.DictReader(text.splitlines(True), strict=True))
    must(len(rows) == report["connections"], "not one row for each connection")
    for row in rows:
        must(None not in row and None not in row.values(), "a row of another length")
        for value in row.values():
            must(not value.startswith(tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")), "a formula: " + value)
    ends = collections.Counter(row["teardown"] for row in rows)
    must(ends == {name: count for name, count in report["totals"]["teardown"].items() if count}, "other ends")
    must(len({row["sock"] for row in rows}) == len(rows), "two rows for one socket")


def check_folded():
    want = {
        "folded": report["totals"]["unread_bytes"],
        "folded-unacked": report["totals"]["unacked_bytes"],
        "folded-count": report["connections"] - report["totals"]["teardown"]["open"],
    }[kind]
    total = 0
    for line in text.splitlines():
        match = re.fullmatch(r"([^;\n]+(?:;[^;\n]+)+) ([1-9][0-9]*)", line)
        must(match, "no stack and weight: " + line)
        total += int(match[2]) if match else 0
    must(min(total, 2**64 - 1) == want, "the weights add up to %d, not %d" % (total, want))


def check_openmetrics():
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    values = {}
    for family in text_string_to_metric_families(text):
        must(family.documentation, family.name + " has no help")
        must(family.type in ("counter", "gauge"), family.name + " has no type")
        for sample in family.samples:
            values[sample.name, tuple(sample.labels.items())] = sample.value
    for name, count in report["totals"]["teardown"].items():
        must(values["halfclose_connections_total", (("teardown", name),)] == count, "connections: " + name)
    found = [value for (name, labels), value in values.items() if name == "halfclose_findings_total"]
    must(found == [finding["count"] for finding in report["findings"]], "findings")
    must(values["halfclose_lost_events_total", ()] == report["lost_events"], "lost events")


checks = {"sarif": check_sarif, "trace": check_trace, "csv": check_csv, "openmetrics": check_openmetrics}
for directory in sys.argv[2:]:
    with open(os.path.join(directory, "json")) as file:
        report = json.load(file)
    with open(os.path.join(directory, kind), newline="", encoding="utf-8") as file:
        text = file.read()
    checks.get(kind, check_folded)()
print("\n".join(wrong[:5]), end="")
sys.exit(bool(wrong))
