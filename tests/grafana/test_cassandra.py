"""The dashboard over Cassandra, without Grafana: every CQL statement of every panel and variable is run on a live Cassandra
that holds hubbub's tables, and gives rows of the columns that it names."""
import os
import re
import subprocess
import sys
import time

import boards
import hub

sys.path.insert(0, os.path.join(hub.SOURCE, "deploy/local"))
import cql  # noqa: E402  (it lies there)

CLUSTER = os.path.join(hub.SOURCE, "deploy/local/cluster")
place = ["--dir", hub.path("cluster")]
tables = os.path.join(hub.SOURCE, "src/store/cassandra.cql")
if not os.path.exists(tables):
    hub.skip("this hubbub keeps nothing in Cassandra yet")
up = subprocess.run([CLUSTER, "up", "cassandra", *place], capture_output=True, text=True, check=False)
if up.returncode == 77:
    hub.skip(up.stderr.strip().splitlines()[-1])
try:
    assert up.returncode == 0, up.stderr
    status = subprocess.run([CLUSTER, "env", *place], capture_output=True, text=True, check=True).stdout
    address = re.search(r"CASSANDRA=(\S+)", status)[1]

    # Seven minutes of chat, counted into Cassandra.
    start = int(time.time()) - 420
    hub.ask("simulate", "--channels", 3, "--seed", 5, "--rate", 50, "--count", 20000, "--start", start, "--write",
            hub.path("chat.irc"))
    hub.ask("import", "--data", hub.path("data"), hub.path("chat.irc"))
    hub.ask("process", "--until-end", "--log", hub.path("data/log"), "--store", f"cassandra://{address}/hubbub")

    board = boards.load("hubbub-cassandra")
    now = (start + 399) * 1000

    def run(session, statement, values):
        filled = statement.replace("$__timeFrom", str(now - 3600000)).replace("$__timeTo", str(now))
        return session.query(boards.fill(filled, values))

    with cql.connect(address) as session:
        session.query("USE hubbub")
        channels = [row[0] for row in run(session, board["templating"]["list"][0]["query"]["query"], {})]
        assert len(channels) == 3, channels
        ran = 0
        for kind in ("word", "emote"):
            for panel, query in boards.queries(board):
                assert query["datasource"] == boards.CASSANDRA and query["rawQuery"] and query["queryType"] == "query"
                columns = [name.strip() for name in re.match(r"SELECT (.*?) FROM", query["target"])[1].split(",")]
                assert columns[0] == "channel", f"{panel['title']}: the first column parts the series, and must be the channel"
                rows = [row for channel in channels
                        for row in run(session, query["target"], {"channel": channel, "kind": kind})]
                # An hour that has just begun has few minutes yet, but some channel has said something.
                assert rows, f"{panel['title']} shows nothing: {query['target']}"
                for row in rows:
                    values = dict(zip(columns, row, strict=True))
                    for name, value in values.items():
                        wanted = str if name in ("channel", "word", "user_name", "layer") else int
                        assert isinstance(value, wanted), f"{panel['title']}: {name} is {value!r}"
                boards.check_fields(panel, columns)
                ran += 1
    print(f"{ran} statements gave their columns")
finally:
    subprocess.run([CLUSTER, "down", *place], check=False)
hub.passed()
