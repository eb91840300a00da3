"""The slow, obvious reference: what the views must hold, computed from raw lines with dictionaries and nothing else.

Written from the design, not from the C code: it shares no table, parser or rule with it. Its only helper is words.py,
the reference for what a word is.
"""
import collections
import sqlite3

import words

JUNE_2011_MS = 1306886400000
DAY_MS = 24 * 3600 * 1000
ESCAPES = {ord(":"): b";", ord("s"): b" ", ord("\\"): b"\\", ord("r"): b"\r", ord("n"): b"\n"}


def unescape(value):
    out, i = bytearray(), 0
    while i < len(value):
        if value[i] == ord("\\"):
            i += 1
            if i < len(value):
                out += ESCAPES.get(value[i], value[i:i + 1])
        else:
            out.append(value[i])
        i += 1
    return bytes(out)


def parse(line):
    """(tags, nick, command, params) of a well-formed line."""
    tags, nick = {}, b""
    line = line.rstrip(b"\r\n")
    if line.startswith(b"@"):
        head, line = line[1:].split(b" ", 1)
        for tag in head.split(b";"):
            key, _, value = tag.partition(b"=")
            tags[key] = value
    line = line.lstrip(b" ")
    if line.startswith(b":"):
        source, line = line[1:].split(b" ", 1)
        nick = source.split(b"!")[0]
    head, colon, last = line.lstrip(b" ").partition(b" :")
    params = [part for part in head.split(b" ") if part]
    return tags, nick, params[0], params[1:] + ([last] if colon else [])


def event_ms(tags):
    received = int(tags.get(b"rm-received-ts") or 0)
    sent = int(tags.get(b"tmi-sent-ts") or 0)
    plausible = sent >= JUNE_2011_MS and (received == 0 or sent <= received + DAY_MS)
    return sent if plausible else received


class Views:
    """The tables of the store as dictionaries; layer and sheets left out."""

    def __init__(self):
        self.minutes = collections.defaultdict(lambda: {"messages": 0, "words": 0, "shared": 0, "new_chatters": 0,
                                                            "subscriber_messages": 0, "chatters": set()})
        self.words = collections.Counter()  # (channel, hour, kind, word)
        self.users = {}  # (channel, hour, user id) -> [name, messages, words, time of the name]
        self.viewers = collections.defaultdict(list)  # (channel, minute) -> [(time, viewers, game, title)]
        self.seen = set()
        self.emotes = collections.defaultdict(dict)  # (channel, hour) -> {name: from when on it is an emote}
        self.messages = self.duplicates = self.facts = 0

    def learn(self, line):
        """Emotes have to be known before the messages that they are in: to be called with all lines first."""
        if b" EMOTES " not in line:
            return
        tags, nick, command, params = parse(line)
        if command == b"EMOTES" and nick == b"hubbub":
            time_ms = event_ms(tags)
            known = self.emotes[params[0][1:].lower().decode(), time_ms // 3600000 * 3600]
            for name in params[1].decode().split(" "):
                known[name] = min(time_ms, known.get(name, time_ms))

    def add(self, line):
        tags, nick, command, params = parse(line)
        if command not in (b"PRIVMSG", b"USERNOTICE", b"CLEARCHAT", b"CLEARMSG", b"ROOMSTATE", b"STREAM", b"EMOTES"):
            return
        self.facts += 1
        time_ms = event_ms(tags)
        channel = params[0][1:].lower().decode()
        minute, hour = time_ms // 60000 * 60, time_ms // 3600000 * 3600
        if command in (b"PRIVMSG", b"USERNOTICE") and tags.get(b"id"):
            if (channel, hour, tags[b"id"]) in self.seen:
                self.duplicates += 1
                return
            self.seen.add((channel, hour, tags[b"id"]))
        if command == b"STREAM":
            self.viewers[channel, minute].append((time_ms, int(params[1]), unescape(tags.get(b"game-name", b"")),
                                                  unescape(tags.get(b"title", b""))))
        if command == b"PRIVMSG":
            self.add_message(tags, nick, channel, minute, hour, time_ms, params[-1])

    def add_message(self, tags, nick, channel, minute, hour, time_ms, text):
        row = self.minutes[channel, minute]
        if tags.get(b"source-room-id") and tags[b"source-room-id"] != tags.get(b"room-id", b""):
            row["shared"] += 1
            return
        if text.startswith(b"\x01ACTION ") and text.endswith(b"\x01"):
            text = text[len(b"\x01ACTION "):-1]
        known = self.emotes.get((channel, hour), {})
        tokens = words.tokens(text, tags.get(b"emotes", b""), {name for name in known if known[name] <= time_ms})
        user_id = (tags.get(b"user-id") or nick).decode()
        name = (unescape(tags.get(b"display-name", b"")) or nick).decode("utf-8", "replace")
        self.messages += 1
        row["messages"] += 1
        row["words"] += len(tokens)
        row["chatters"].add(user_id)
        row["new_chatters"] += tags.get(b"first-msg") == b"1"
        badges = {badge.split(b"/")[0] for badge in tags.get(b"badges", b"").split(b",")}
        row["subscriber_messages"] += bool(badges & {b"subscriber", b"founder"}) or tags.get(b"subscriber") == b"1"
        for kind, word in tokens:
            self.words[channel, hour, kind, word] += 1
        user = self.users.setdefault((channel, hour, user_id), ["", 0, 0, -1])
        user[1] += 1
        user[2] += len(tokens)
        if (time_ms, name) >= (user[3], user[0]):
            user[0], user[3] = name, time_ms


def latest(samples):
    """Of several in one millisecond, the greatest game and title."""
    return max(samples, key=lambda sample: (sample[0], sample[2], sample[3]))


def read(path):
    with open(path, "rb") as lines:
        return views_of(lines.readlines())


def views_of(lines):
    views = Views()
    for line in lines:
        views.learn(line)
    for line in lines:
        views.add(line)
    return views


def differences(name, expected, found):
    """Lines that say how two dictionaries differ; none when they are equal."""
    out = [f"{name}: {key} is missing, expected {expected[key]}" for key in expected.keys() - found.keys()]
    out += [f"{name}: {key} = {found[key]} should not be there" for key in found.keys() - expected.keys()]
    out += [f"{name}: {key} is {found[key]}, expected {expected[key]}"
            for key in expected.keys() & found.keys() if expected[key] != found[key]]
    return out


def compare_with_store(views, path):
    """Compares the reference's views with a SQLite store that was filled with --top all."""
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    store.text_factory = lambda text: text.decode("utf-8", "replace")

    def rows(question, keys):
        return {tuple(row[:keys]): tuple(row[keys:]) for row in store.execute(question)}

    out = differences("wordcount", {key: (row["messages"], row["words"], len(row["chatters"]), row["shared"],
                                          row["new_chatters"], row["subscriber_messages"])
                                    for key, row in views.minutes.items()},
                      rows("select channel, minute, messages, words, chatters, shared, new_chatters, "
                           "subscriber_messages from wordcount "
                           "where messages > 0 or shared > 0", 2))
    out += differences("wordfreq", {key: (count,) for key, count in views.words.items()},
                       rows("select channel, hour, kind, word, count from wordfreq", 4))
    out += differences("msgperuser", {key: tuple(user[:3]) for key, user in views.users.items()},
                       rows("select channel, hour, user_id, user_name, messages, words from msgperuser", 3))
    out += viewers_differences(views, rows("select channel, minute, viewers, samples, game, title from viewers", 2))
    store.close()
    return out


def viewers_differences(views, stored):
    """stored: {(channel, minute): (viewers, samples, game, title)}"""
    return differences("viewers", {key: (round(sum(s[1] for s in samples) / len(samples)), len(samples),
                                         latest(samples)[2].decode(), latest(samples)[3].decode())
                                   for key, samples in views.viewers.items()},
                       {key: (round(row[0]), *row[1:]) for key, row in stored.items()})
