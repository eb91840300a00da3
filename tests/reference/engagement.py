"""The slow, obvious reference for engagement: sets of who wrote in which minute, and lists of viewer samples.

Like reference.py it shares nothing with the C code; it only reads lines as that does.
"""
import collections

import reference

MONTH_S = 30 * 24 * 3600


class Engagement:
    def __init__(self):
        self.messages = collections.Counter()  # (channel, minute)
        self.new = collections.Counter()
        self.subscribers = collections.Counter()
        self.chatters = collections.defaultdict(set)
        self.hours = collections.defaultdict(lambda: collections.defaultdict(set))  # channel -> user -> hours
        self.samples = collections.defaultdict(list)
        self.ids = set()

    def add(self, line):
        tags, nick, command, params = reference.parse(line)
        if command not in (b"PRIVMSG", b"USERNOTICE", b"STREAM"):
            return
        time_ms = reference.event_ms(tags)
        channel, minute = params[0][1:].lower().decode(), time_ms // 60000 * 60
        if command == b"STREAM":
            self.samples[channel, minute].append(int(params[1]))
            return
        message = (channel, minute // 3600, tags.get(b"id"))
        if message[2] and message in self.ids:
            return
        self.ids.add(message)
        if command != b"PRIVMSG" or tags.get(b"source-room-id", tags.get(b"room-id")) != tags.get(b"room-id"):
            return
        user = tags.get(b"user-id") or nick
        self.messages[channel, minute] += 1
        self.chatters[channel, minute].add(user)
        self.hours[channel][user].add(minute // 3600 * 3600)
        self.new[channel, minute] += tags.get(b"first-msg") == b"1"
        badges = {badge.split(b"/")[0] for badge in tags.get(b"badges", b"").split(b",")}
        self.subscribers[channel, minute] += bool(badges & {b"subscriber", b"founder"}) or tags.get(b"subscriber") == b"1"

    def viewers(self, channel, minute):
        samples = self.samples.get((channel, minute))
        return sum(samples) / len(samples) if samples else None

    def is_returning(self, channel, user, minute):
        hour = minute // 3600 * 3600
        return any(hour - MONTH_S <= seen < hour for seen in self.hours[channel][user])

    def row(self, channel, minute):
        """None for a minute without messages and viewers."""
        messages = self.messages[channel, minute]
        viewers = self.viewers(channel, minute)
        if messages == 0 and viewers is None:
            return None
        window = [minute - back * 60 for back in range(10)]
        sampled = [one for one in (self.viewers(channel, each) for each in window) if one is not None]
        took_part = len(set().union(*(self.chatters.get((channel, each), ()) for each in window)))
        here = self.chatters.get((channel, minute), ())
        return {
            "messages": messages,
            "chatters": len(here),
            "viewers": None if viewers is None else int(viewers + 0.5),
            "messages_per_100_viewers": 100 * messages / viewers if viewers else None,
            "participation": took_part / (sum(sampled) / len(sampled)) if sampled and sum(sampled) else None,
            "new_chatters": self.new[channel, minute],
            "returning_chatters": sum(self.is_returning(channel, user, minute) for user in here),
            "subscriber_share": self.subscribers[channel, minute] / messages if messages else None,
        }

    def rows(self, channel, start, end):
        """{minute: row}, with those that are None left out."""
        rows = {minute: self.row(channel, minute) for minute in range(start, end, 60)}
        return {minute: row for minute, row in rows.items() if row is not None}


def differs(expected, found):
    """Whether a row of an answer, with its shares cut to four decimals, is another than the reference's."""
    def same(one, other):
        if isinstance(one, float) and other is not None:
            return abs(one - other) <= 0.000051
        return one == other
    return [name for name, value in expected.items() if not same(value, found[name])]
