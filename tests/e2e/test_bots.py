"""Rankings of users without bots: the answers of the command line, of the API and of live events, in closed hours and in the
one in progress; everything else counts everybody."""
import json
import random
import time
import urllib.request

import hub

NOW = int(time.time())
HOUR = NOW - NOW % 3600 - 2 * 3600  # over for an hour at least
BOTS = [("900", "Nightbot"), ("901", "StreamElements"), ("902", "mod_er"), ("903", "\u540d\u524d")]
random.seed(8)

people = [(str(100 + number), f"Chatter{number}") for number in range(60)]
said = {}
lines = []
for number in range(6000):
    user = random.choice(BOTS) if number % 3 == 0 else random.choice(people[:random.randint(1, len(people))])
    said[user] = said.get(user, 0) + 1
    lines.append(f"@display-name={user[1]};id=id-{number};tmi-sent-ts={HOUR * 1000 + number * 500};user-id={user[0]} "
                 f":u!u@u PRIVMSG #xqc :some words")
recent = NOW * 1000 - 5000
lines += [f"@display-name={name};id=new-{number};tmi-sent-ts={recent};user-id={key} :u!u@u PRIVMSG #new :hello"
          for number, (key, name) in enumerate([BOTS[0]] * 9 + [people[0]] * 3 + [BOTS[2]] * 2 + [people[1]])]
with open(hub.path("in"), "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")
data = hub.path("data")
hub.ask("import", "--data", data, hub.path("in"))
process = hub.start("process", "--data", data, "--top", "5")
hub.until(lambda: sum(count for (count,) in hub.query(data, "select messages from wordcount")) == len(lines), "the counts")


def ranking(ignored, limit):
    left = [(-count, key, name) for (key, name), count in said.items() if (key, name) not in ignored]
    return [{"rank": rank + 1, "user_id": key, "user_name": name, "messages": -count, "words": -count * 2}
            for rank, (count, key, name) in enumerate(sorted(left)[:limit])]


def ask(*arguments, settings=None):
    answer = json.loads(hub.ask("users", "xqc", "--data", data, "--format", "json", "--from", HOUR, "--to", HOUR + 3600,
                                *arguments, settings=settings)[0])
    assert answer["exact"], answer
    return answer["rows"]


for limit in (1, 3, 5, 8, 55, 100):  # fewer than the rows that are kept, as many, more; all
    assert ask("--limit", limit) == ranking(BOTS[:2], limit)
    assert ask("--limit", limit, "--bots") == ranking([], limit)
    assert ask("--limit", limit, "--ignore-user", "MOD_ER,903") == ranking(BOTS, limit)
    assert ask("--limit", limit, "--ignore-user", "mod_er", settings={"HUBBUB_IGNORE_USER": "903 chatter3"}) == \
        ranking([*BOTS, people[3]], limit)
err = hub.ask("users", "xqc", "--data", data, "--ignore-user", "so so", expect=2)[1]
assert "--ignore-user" in err and "'so so'" in err, err
hub.ask("serve", "--data", data, "--ignore-user", "#xqc", expect=2)

port = hub.free_port()
server = hub.start("serve", "--data", data, "--listen", f"127.0.0.1:{port}", "--ignore-user", "mod_er")
where = f"/api/v1/channels/xqc/users?from={HOUR}&to={HOUR + 3600}&limit=4"
assert hub.until(lambda: hub.rows(port, where), "the server") == ranking(BOTS[:3], 4)
assert hub.rows(port, where + "&bots=1") == ranking([], 4)
assert hub.rows(port, where + "&bots=0") == ranking(BOTS[:3], 4)
assert hub.get(port, where + "&bots=all")[0] == 400
with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/live?channel=new", timeout=20) as events:
    for line in events:
        if line == b"event: users\n":
            found = json.loads(next(iter(events)).decode().removeprefix("data: "))["rows"]
            break
assert [(row["user_name"], row["messages"]) for row in found] == [("Chatter0", 3), ("Chatter1", 1)], found

# What is counted does not know of bots.
assert hub.query(data, "select sum(messages), max(chatters) from wordcount where channel = 'new'") == [(15, 4)]
assert ("Nightbot",) in hub.query(data, "select user_name from msgperuser where channel = 'new'")
for started in (server, process):
    assert hub.stop(started) == 0
hub.passed()
