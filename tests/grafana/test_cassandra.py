"""The dashboard over Cassandra, without Grafana: every CQL statement of every panel and variable is run on a live Cassandra
that holds hubbub's tables, and gives rows of the columns that it names."""
import re
import subprocess
import time

import boards
import hub
import servers

process = ["process", "--until-end", "--log", hub.path("data/log"), "--store"]
without = subprocess.run([hub.HUBBUB, *process, "cassandra://127.0.0.1:1/none"], capture_output=True, text=True, check=False)
if "built without Cassandra" in without.stderr:
    hub.skip("this hubbub was built without Cassandra")
servers.up("cassandra")

# Forty minutes of chat with moments in it, counted into Cassandra.
start = int(time.time()) // 60 * 60 - 2400  # a burst that begins with a minute is a moment
hub.ask("simulate", "--channels", 3, "--seed", 5, "--rate", 10, "--end", start + 2399, "--bursts", 12, "--start", start, "--write",
        hub.path("chat.irc"))
hub.ask("import", "--data", hub.path("data"), hub.path("chat.irc"))
hub.ask(*process, servers.store("grafana"))

board = boards.load("hubbub-cassandra")
now = (start + 2400) * 1000


def run(session, statement, values):
    filled = statement.replace("$__timeFrom", str(now - 3600000)).replace("$__timeTo", str(now))
    return session.query(boards.fill(filled, values))


with servers.cql.connect(servers.addresses["CASSANDRA"]) as session:
    session.query(f"USE {servers.keyspace('grafana')}")
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
                    wanted = (str if name in ("channel", "word", "user_name", "layer") or name == "words" and "score" in columns
                              else float if name in ("score", "usual") else int)
                    assert isinstance(value, wanted), f"{panel['title']}: {name} is {value!r}"
            boards.check_fields(panel, columns)
            ran += 1
print(f"{ran} statements gave their columns")
hub.passed()
