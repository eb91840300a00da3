"""Six days of chat: answers from days and months are those of all rows summed up, and old days go when they are to."""
import glob
import json
import os
import shutil
import sqlite3
import time

import hub

HOUR, DAY = 3600, 86400
now = int(time.time())
start = now - now % DAY - 6 * DAY
end = now - now % DAY + 2 * HOUR if now % DAY > 4 * HOUR else now - now % DAY - 2 * HOUR

data = hub.path("data")
simulate = ["simulate", "--channels", 6, "--seed", 5, "--rate", 0.12, "--write", hub.path("lines.irc")]
hub.ask(*simulate, "--start", start, "--end", end)
hub.ask("import", "--data", data, hub.path("lines.irc"))
hub.ask("process", "--data", data, "--until-end", "--top", "all")


def standing(place=data):
    return {(span, begin) for span, begin in hub.query(place, "select span, start from rollups where state = 1")}


days = {("day", begin) for begin in range(start, end - DAY + 1, DAY)}
assert days <= standing(), (days, standing())


def expected(kind, channel, begin, finish):
    """What the rows of all hours add up to; of a user's names the latest hour's."""
    if kind == "words":
        return hub.query(data, """select kind, word, sum(count) from wordfreq where channel = ? and hour >= ? and hour < ?
                                  group by kind, word order by 3 desc, word, kind limit 2000""", channel, begin, finish)
    return hub.query(data, """select user_id, (select user_name from msgperuser x where x.channel = m.channel and
                              x.user_id = m.user_id and hour >= ?2 and hour < ?3 order by hour desc limit 1),
                              sum(messages), sum(words) from msgperuser m where channel = ?1 and hour >= ?2 and hour < ?3
                              group by user_id order by 3 desc, user_id limit 2000""", channel, begin, finish)


def answer(kind, channel, begin, finish, place=data):
    everybody = ["--bots"] if kind == "users" else []
    text = hub.ask(kind, channel, *everybody, "--data", place, "--from", begin, "--to", finish, "--limit", 2000, "--format", "json")[0]
    found = json.loads(text)
    assert found["exact"] is True
    return [tuple(row.values())[1:] for row in found["rows"]]


channels = [name for name, in hub.query(data, "select channel from channels")]
ranges = [(start, end), (start + 5 * HOUR, end - 3 * HOUR), (start + DAY, start + 3 * DAY), (start + 7 * HOUR, start + 9 * HOUR)]
for channel in channels[:3]:
    for kind in ("words", "users"):
        for begin, finish in ranges:
            found = answer(kind, channel, begin, finish)
            assert found == expected(kind, channel, begin, finish), (kind, channel, begin, finish)
            assert found

# Without them the answers are the same: read from hours.
shutil.copytree(data, hub.path("hours"))
with sqlite3.connect(f"{hub.path('hours')}/hubbub.db") as store:
    store.execute("delete from rankings")
    store.execute("delete from rollups")
for kind in ("words", "users"):
    assert answer(kind, channels[0], start, end) == answer(kind, channels[0], start, end, hub.path("hours"))

# A channel that an import brings into an old day: the day falls, and stands again with it.
with open(hub.path("more.irc"), "w", encoding="utf-8") as lines:
    lines.write(f"@id=1;tmi-sent-ts={(start - DAY) * 1000};user-id=5 :a!a@a PRIVMSG #newcomer :hello there\n")
hub.ask("import", "--data", data, hub.path("more.irc"))
hub.ask("process", "--data", data, "--until-end", "--top", "all")
assert ("day", start - DAY) in standing()
assert answer("words", "newcomer", start - DAY, end) == [("word", "hello", 1), ("word", "there", 1)]

expected_words = expected("words", channels[0], start, end)

# Retention.
for wrong in ("0", "x", "99999999"):
    hub.ask("process", "--data", data, "--until-end", "--keep-views", wrong, expect=2)
before = expected("users", channels[0], start + 4 * DAY, end)
hub.ask("process", "--data", data, "--until-end", "--top", "all", "--keep-views", 2)
for table, column in (("wordcount", "minute"), ("wordfreq", "hour"), ("msgperuser", "hour"), ("sheets", "hour"),
                      ("rankings", "start")):
    oldest = hub.query(data, f"select min({column}) from {table}")[0][0]
    assert oldest >= start + 4 * DAY, (table, oldest)
assert answer("users", channels[0], start, end) == before

# The log goes once the batch layer has counted it; what it counted stays, and stays as it is.
fresh = hub.path("fresh")


def oldest():
    return min(os.path.basename(name) for name in glob.glob(f"{fresh}/log/*.irc*"))


border = time.strftime("%Y-%m-%dT%H", time.gmtime(now - 2 * DAY - HOUR))
hub.ask("import", "--data", fresh, hub.path("lines.irc"))
hub.ask("process", "--data", fresh, "--until-end", "--keep-log", 2)
assert oldest() < border, "an hour went before the batch layer had counted it"
hub.ask("batch", "--data", fresh, "--keep-log", 2)
assert oldest() >= border, (oldest(), border)
before = answer("words", channels[0], start, end, fresh)
assert before == expected_words
with open(hub.path("late.irc"), "w", encoding="utf-8") as lines:
    lines.write(f"@id=2;tmi-sent-ts={(start + HOUR) * 1000};user-id=5 :a!a@a PRIVMSG #{channels[0]} :toolate\n")
hub.ask("import", "--data", fresh, hub.path("late.irc"))
for command in (["batch"], ["batch", "--from", start], ["process", "--until-end"]):
    hub.ask(*command, "--data", fresh)
    assert answer("words", channels[0], start, end, fresh) == before, command
hub.ask("verify", "--data", fresh)
hub.passed()
