"""The slow, obvious reference for what a word is: tokens(text, emotes) by lists of characters, a step at a time.

Written from docs/words.md, not from the C code: it shares no table with it. It needs PyICU.
"""
import re

import icu

KINDS = ("word", "emote", "emoji", "mention", "link", "command")
ROOT = icu.Locale.getRoot()
NFKC_CASEFOLD = icu.Normalizer2.getNFKCCasefoldInstance()
# How ICU splits may depend on which scripts an iterator has met before: all iterators here have met all of them.
SCRIPTS_WITH_ENGINES = ("ภาษาไทย", "ພາສາລາວ", "မြန်မာ", "ខ្មែរ", "あい", "アイ", "中国", "한국어")
LETTERS = {icu.UCharCategory.UPPERCASE_LETTER, icu.UCharCategory.LOWERCASE_LETTER, icu.UCharCategory.TITLECASE_LETTER,
           icu.UCharCategory.MODIFIER_LETTER, icu.UCharCategory.OTHER_LETTER}
DIGITS = {icu.UCharCategory.DECIMAL_DIGIT_NUMBER, icu.UCharCategory.LETTER_NUMBER, icu.UCharCategory.OTHER_NUMBER}
MARKS = {icu.UCharCategory.NON_SPACING_MARK, icu.UCharCategory.ENCLOSING_MARK,
         icu.UCharCategory.COMBINING_SPACING_MARK}


def new_iterator(make):
    iterator = make(ROOT)
    for text in SCRIPTS_WITH_ENGINES:
        iterator.setText(text)
        list(iterator)
    return iterator


WORDS = new_iterator(icu.BreakIterator.createWordInstance)
CLUSTERS = new_iterator(icu.BreakIterator.createCharacterInstance)


def category(character):
    return icu.Char.charType(ord(character))


def is_ignorable(character):
    return icu.Char.hasBinaryProperty(ord(character), icu.UProperty.DEFAULT_IGNORABLE_CODE_POINT)


def is_space(character):
    return icu.Char.isUWhiteSpace(ord(character)) or character == "\U000E0000"


def is_pictograph(character):
    code_point = ord(character)
    return (icu.Char.hasBinaryProperty(code_point, icu.UProperty.EXTENDED_PICTOGRAPHIC) and code_point > 0x7f
            and character not in "©®") or icu.Char.hasBinaryProperty(code_point, icu.UProperty.REGIONAL_INDICATOR)


def lower(text):
    return "".join(chr(icu.Char.tolower(ord(character))) for character in text)


def cut(iterator, text):
    """The pieces into which an ICU iterator breaks a text."""
    wide = text.encode("utf-16-le")
    iterator.setText(text)
    start, pieces = 0, []
    for end in iterator:
        pieces.append(wide[start * 2:end * 2].decode("utf-16-le"))
        start = end
    return pieces


def emote_ranges(tag, length):
    """The ranges that count, as (first, last), ordered and without overlap."""
    ranges = []
    for emote in tag.split("/"):
        _, colon, list_of_ranges = emote.partition(":")
        for part in list_of_ranges.split(",") if colon else []:
            match = re.fullmatch("([0-9]+)-([0-9]+)", part)
            if match and int(match[1]) <= int(match[2]) < length:
                ranges.append((int(match[1]), int(match[2])))
    taken = []
    for first, last in sorted(ranges, key=lambda each: (each[0], -each[1])):
        if not taken or first > taken[-1][1]:
            taken.append((first, last))
    return taken


def chunks(characters):
    """(start, end) of each run of characters that are no white space (None stands for what is taken already)."""
    found, start = [], None
    for i, character in enumerate(characters + [None]):
        space = character is None or is_space(character)
        if not space and start is None:
            start = i
        if space and start is not None:
            found.append((start, i))
            start = None
    return [(a, b) for a, b in found if not all(is_ignorable(c) for c in characters[a:b])]


def link_host(chunk):
    """The host of a link, or None."""
    scheme = re.match("https?://", chunk, re.IGNORECASE | re.ASCII)
    if scheme:
        rest = re.split(r"[/?#\\]", chunk[scheme.end():])[0].split("@")[-1]
        address = re.match(r"\[[0-9a-fA-F.]*:[0-9a-fA-F.:]*\]", rest)
        if address:
            return address[0].lower()
    elif re.match(r"www\.", chunk, re.IGNORECASE | re.ASCII):
        rest = chunk
    else:
        return None
    host = ""
    for character in rest:
        if character not in "-_.":
            if category(character) not in LETTERS | DIGITS | MARKS or is_ignorable(character):
                break
        host += character
    host = host.rstrip(".")
    if not host or category(host[0]) not in LETTERS | DIGITS:
        return None
    if not scheme and (len(host) <= 4 or category(host[4]) not in LETTERS | DIGITS):
        return None
    return lower(host)


def text_tokens(text):
    """Words and emoji of a stretch without white space."""
    found = []
    for part in re.split("[@:\ufe55\uff1a]", text):
        rest = ""
        for segment in cut(WORDS, part) + [None]:
            is_word = segment is None or any(category(c) in LETTERS | DIGITS for c in segment)
            if not is_word:
                rest += segment
                continue
            found += [("emoji", cluster) for cluster in cut(CLUSTERS, rest) if any(map(is_pictograph, cluster))]
            rest = ""
            spelling = NFKC_CASEFOLD.normalize(segment) if segment else ""
            if spelling:
                found.append(("word", spelling))
    return found


def tokens(text, emotes=b"", others=()):
    """The tokens of a message's text (bytes, without the ACTION wrapper) as a list of (kind, spelling); others: names of
    emotes that the tag does not tell of."""
    sent = list(text.decode("utf-8", "replace").replace("\U000E0002", "\u200d"))
    found, rest = [], list(sent)
    for first, last in emote_ranges(emotes.decode("utf-8", "replace"), len(sent)):
        found.append(("emote", "".join(sent[first:last + 1])))
        rest[first:last + 1] = [None] * (last + 1 - first)
    command = chunks(sent)[:1]
    for start, end in command:
        if (sent[start] != "!" or end - start < 2 or category(sent[start + 1]) not in LETTERS
                or None in rest[start:end]):
            continue
        found.append(("command", lower("".join(sent[start:end]))))
        rest[start:end] = [None] * (end - start)
    for start, end in chunks(rest):
        chunk = "".join(rest[start:end])
        if chunk in others:
            found.append(("emote", chunk))
            continue
        host = link_host(chunk)
        if host is not None:
            found.append(("link", host))
            continue
        mention = re.match("@[A-Za-z0-9_]+", chunk)
        if mention:
            found.append(("mention", mention[0].lower()))
            chunk = chunk[mention.end():]
        found += text_tokens(chunk)
    return found
