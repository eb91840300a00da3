"""200,000 lines through import, the speed layer and the store: every value as the slow reference computes it."""
import json
import sys

import hub

try:
    import icu  # noqa: F401 - the reference's words need it
except ImportError:
    hub.skip("the slow reference needs PyICU (Debian package python3-icu)")
import reference

LINES, START = 200_000, 1_764_000_000  # 2025-11-24T16:00:00Z: the span crosses hours and a day

data = hub.path("data")
hub.ask("simulate", "--channels", 60, "--seed", 7, "--rate", 25, "--count", LINES, "--start", START, "--viewers",
        "--emotes", "--write", hub.path("lines.irc"))
err = hub.ask("import", "--data", data, hub.path("lines.irc"))[1]
print(err.strip())
hub.ask("process", "--data", data, "--until-end", "--top", "all")

views = reference.read(hub.path("lines.irc"))
assert views.messages > LINES * 0.9, views.messages
assert sum(count for (_, _, kind, word), count in views.words.items() if (kind, word) == ("emote", "KEKW")) > 100
wrong = reference.compare_with_store(views, f"{data}/hubbub.db")
print(*wrong[:20], sep="\n")
assert not wrong, f"{len(wrong)} values differ"

# The same questions through the command line: over all hours, from sheets rather than from rows.
span = ["--data", data, "--from", START - 3600, "--to", START + 86400, "--format", "json"]
totals = {}
for (channel, _, kind, word), count in views.words.items():
    totals.setdefault(channel, {}).setdefault((kind, word), 0)
    totals[channel][kind, word] += count
for channel in sorted(totals)[:5]:
    answer = json.loads(hub.ask("words", channel, *span, "--limit", 1000)[0])
    assert answer["exact"] is True
    expected = sorted(totals[channel].items(), key=lambda item: (-item[1], item[0][1].encode()))[:1000]
    found = [((row["kind"], row["word"]), row["count"]) for row in answer["rows"]]
    assert [count for _, count in found] == [count for _, count in expected], channel
    assert all(totals[channel][key] == count for key, count in found), channel
    rate = json.loads(hub.ask("rate", channel, *span, "--limit", 10000)[0])["rows"]
    minutes = [row for (name, _), row in views.minutes.items() if name == channel]
    for column in ("messages", "words", "shared"):
        assert sum(row[column] for row in rate) == sum(row[column] for row in minutes), (channel, column)
    users = json.loads(hub.ask("users", channel, *span, "--limit", 10000)[0])["rows"]
    spoken = sum(user[1] for (name, _, _), user in views.users.items() if name == channel)
    assert sum(row["messages"] for row in users) == spoken, channel

values = len(views.minutes) * 4 + len(views.words) + len(views.users) * 3 + len(views.viewers) * 4
print(f"{views.messages} messages, {values} values compared, none differs")
sys.stdout.flush()
hub.passed()
