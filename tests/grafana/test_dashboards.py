"""Grafana's dashboards, without Grafana: they are as make_dashboards writes them, and every query of every panel and variable
is run as its data source would run it, against a live hubbub (and a live Prometheus that asks it, where there is one; and a
live Cassandra in test_cassandra.py), and gives rows of the declared columns."""
import datetime
import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import boards
import hub

subprocess.run([os.path.join(hub.SOURCE, "deploy/grafana/make_dashboards"), "--check"], check=True)

# An hour of the demo's channels that has bursts, so that there are moments; then the demo goes on with it.
hub.ask("simulate", "--channels", 16, "--seed", 11, "--rate", 20, "--bursts", 12, "--start", int(time.time()) // 60 * 60 - 2400, "--end",
        int(time.time()) - 60, "--write", hub.path("bursts.irc"))
hub.ask("import", "--data", hub.path("demo"), hub.path("bursts.irc"))
hub.ask("process", "--data", hub.path("demo"), "--until-end")
port = hub.free_port()
hub.start("run", "--demo", "--listen", f"127.0.0.1:{port}", "--data", hub.path("demo"))
hub.until(lambda: len(hub.rows(port, "/api/v1/channels")) >= 10, "the demo's channels")
names = [row["channel"] for row in hub.rows(port, "/api/v1/channels")]
busiest = max(hub.rows(port, "/api/v1/channels"), key=lambda row: row["messages_per_minute"])["channel"]
for kind in ("words", "users", "messages", "viewers", "engagement"):
    hub.until(lambda kind=kind: hub.rows(port, f"/api/v1/channels/{busiest}/{kind}"), f"the first {kind}")

NUMBER, TIME = (int, float), datetime.datetime


def is_of(kind, value):
    """What Infinity's backend parser takes for a column of this type."""
    if kind == "number":  # null leaves a gap
        return value is None or isinstance(value, NUMBER) and not isinstance(value, bool)
    if kind == "timestamp":
        return isinstance(datetime.datetime.fromisoformat(value.replace("Z", "+00:00")), TIME)
    assert kind == "string", kind
    return value is None or isinstance(value, str)


def run_infinity(query, values):
    """The rows of a query, each column by its title."""
    assert (query["type"], query["source"], query["parser"], query["format"]) == ("json", "url", "backend", "table"), query
    options = query["url_options"]
    assert options["method"] == "GET"
    parameters = [(pair["key"], boards.fill(pair["value"], values)) for pair in options["params"]]
    where = boards.fill(query["url"], values) + "?" + urllib.parse.urlencode(parameters)
    status, text = hub.get(port, where)
    assert status == 200, f"{where}: {status} {text}"
    rows = json.loads(text)[query["root_selector"]]
    found = [{column["text"]: select(row, column["selector"], where) for column in query["columns"]} for row in rows]
    for row in found:
        for column in query["columns"]:
            assert is_of(column["type"], row[column["text"]]), f"{where}: {column} cannot be {row[column['text']]!r}"
    return found


def select(row, selector, where):
    """What a path (words.0.word) leads to; of a list that is too short, nothing."""
    for step in selector.split("."):
        if isinstance(row, list):
            row = row[int(step)] if int(step) < len(row) else {"word": None}
        else:
            assert step in row, f"{where}: there is no {selector} in {row}"
            row = row[step]
    return row


# The dashboard over the API: the variable's values are channels, and every panel has rows for each choice.
board = boards.load("hubbub")
now = int(time.time())
times = {"__from": (now - 3600) * 1000, "__to": (now + 1) * 1000}
variables = {variable["name"]: variable for variable in board["templating"]["list"]}
variable_query = variables["channel"]["query"]
assert variable_query["queryType"] == "infinity"
found = run_infinity({**variable_query["infinityQuery"]}, times)
assert {row["channel"] for row in found} >= set(names), found
ran = 0
for choice in variables["kind"]["options"]:
    values = {**times, "channel": busiest, "kind": choice["value"]}
    for panel, query in boards.queries(board):
        assert query["datasource"] == boards.HUBBUB, panel["title"]
        rows = run_infinity(query, values)
        assert rows or choice["value"] != "all" and "words" in query["url"], f"{panel['title']} shows nothing"
        boards.check_fields(panel, [column["text"] for column in query["columns"]])
        ran += 1
print(f"{ran} queries of {board['title']} gave their columns")

marks = [row for name, query in boards.annotations(board) for channel in names
         for row in run_infinity(query, {**times, "channel": channel, "kind": "all"})]
assert marks and all(set(row) == {"time", "text"} for row in marks), marks
print(f"{len(marks)} marks on the time lines, such as {marks[0]}")

# The links of its tables lead to dashboards that are there.
for panel in board["panels"]:
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        for each in override["properties"]:
            if each["id"] == "links":
                assert [re.match(r"/d/([a-z-]+)\?", link["url"])[1] for link in each["value"]] == ["hubbub"]

# The internals: every metric that an expression names is told by hubbub; with a Prometheus, every expression gives a series.
board = boards.load("hubbub-internals")
metrics = hub.get(port, "/metrics")[1]
told = set(re.findall(r"^([a-z_0-9]+)(?:\{| )", metrics, re.M))
expressions = [query["expr"] for _, query in boards.queries(board)]
with open(os.path.join(hub.SOURCE, "deploy/prometheus/rules.yml"), encoding="utf-8") as rules:
    expressions += re.findall(r"expr: (.*)", rules.read())
for expression in expressions:
    for name in re.findall(r"\b(?:hubbub|process)_[a-z0-9_]+\b", expression):
        assert name in told, f"hubbub tells no {name}, which is asked for by {expression}"
print(f"{len(expressions)} expressions of {board['title']} and the rules name metrics that are there")

prometheus = boards.prometheus()
if prometheus is None:
    print("no Prometheus to run the expressions with (Debian: the package prometheus)")
    hub.passed()
    raise SystemExit
for path in ("prometheus.yml", "prometheus.single.yml", "prometheus.spark.yml"):
    config = os.path.join(hub.SOURCE, "deploy/prometheus", path)
    if os.path.exists(config):
        subprocess.run([f"{prometheus}/promtool", "check", "config", config], check=True, stdout=subprocess.DEVNULL)
for name in ("deploy/prometheus/rules.yml", "tests/grafana/rules_test.yml"):
    shutil.copy(os.path.join(hub.SOURCE, name), hub.path(os.path.basename(name)))
subprocess.run([f"{prometheus}/promtool", "test", "rules", hub.path("rules_test.yml")], check=True, stdout=subprocess.DEVNULL)
with open(os.path.join(hub.SOURCE, "deploy/prometheus/prometheus.single.yml"), encoding="utf-8") as config:
    config = config.read().replace("hubbub:8080", f"127.0.0.1:{port}").replace("scrape_interval: 5s", "scrape_interval: 1s")
with open(hub.path("prometheus.yml"), "w", encoding="utf-8") as out:
    out.write(config)
asking = hub.free_port()
with open(hub.path("prometheus.err"), "ab") as err:
    hub.running.append(subprocess.Popen(
        [f"{prometheus}/prometheus", f"--config.file={hub.path('prometheus.yml')}", f"--storage.tsdb.path={hub.path('tsdb')}",
         f"--web.listen-address=127.0.0.1:{asking}"], stdout=err, stderr=err, stdin=subprocess.DEVNULL))


def run_prometheus(expression):
    asked = urllib.parse.urlencode({"query": expression.replace("$__rate_interval", "1m").replace("$__range", "1h")})
    with urllib.request.urlopen(f"http://127.0.0.1:{asking}/api/v1/query?{asked}", timeout=10) as answer:
        return json.load(answer)["data"]["result"]


hub.until(lambda: run_prometheus("rate(hubbub_messages_total[1m])"), "Prometheus has asked hubbub twice", 30)
for panel, query in boards.queries(board):
    assert query["datasource"] == boards.PROMETHEUS, panel["title"]
    series = run_prometheus(query["expr"])
    assert series, f"{panel['title']}: {query['expr']} gives nothing"
    for label in re.findall(r"{{(\w+)}}", query["legendFormat"]):
        assert all(label in each["metric"] for each in series), f"{panel['title']}: there is no label {label}"
print(f"every expression of {board['title']} gave a series")
hub.passed()
