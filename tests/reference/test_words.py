"""Random messages through hb_words_split and through the reference: both must find the same tokens.

test_words.py TOOL [COUNT] [SEED]. Exits with 77 (skipped) when PyICU is missing.
"""
import collections
import random
import re
import subprocess
import sys

try:
    import words
except ImportError:
    print("PyICU (Debian package python3-icu) is not installed")
    sys.exit(77)

# Written by people, in the scripts that chat is written in.
PHRASES = r"""
hello chat what's up gg wp lol 3.14 1,000 10:30 re:zero e.g. don't I'm it's U.S.A. C++ a_b __ _x @Forsen's @@x @a@b
HTTP://User:Pw@Twitch.TV:443/x?y#z https://www.EXAMPLE.com. www.beispiel.de/ä http://[::1]:80/ http://[fe80::1 https://
https://münchen.ÜBER.de/ http://例え.テスト:8080 http:///x http://..x www. www.. www.-a https://a.b,c (www.x.y) https://☃.net
!Song !söng !1 !! !日本 !so,
今天天气真好我们一起去看直播吧 中华人民共和国 主播加油！！ 哈哈哈哈哈 2024年11月24日 ㊗㊙
こんにちは世界 配信お疲れ様でした ージョン ーーーー バージョン ｶﾞｷﾞｸﾞ ﾊﾟｿｺﾝ 草wwww 々々 〆切 ゛あ ㍿ ㌔ ｗｗｗ ＡＢＣ１２３
สวัสดีครับผมชื่อสมชาย ภาษาไทยง่ายนิดเดียว ສະບາຍດີ ភាសាខ្មែរ မြန်မာဘာသာ
안녕하세요 여러분 한국어방송ㅋㅋㅋㅋ ㅠㅠ ㅤ ﾠ 가각 각
مرحبا بالعالم لا إله العربية ١٢٣٫٤ محمّد ﷺ ﻻ שלום עולם צה"ל ג'ירף ה׳ ש״ס
Привет мир Ёлка ЩУКА что-то Ελληνικά ΣΟΦΟΣ ὀδυσσεύς Straße STRASSE İstanbul ıI ﬁne ŉ ǅ ẞ Å Å Ǆ K
नमस्ते दुनिया क्षत्रिय हिन्दी বাংলা தமிழ் తెలుగు ಕನ್ನಡ ਪੰਜਾਬੀ සිංහල
👨‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈 🏴‍☠️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪 🇩🇪🇫🇷🇮 1️⃣ #️⃣ *⃣ ❤️ ❤ ☺︎ ™ © ® ©️ ℹ️ Ⓜ 🅰🅱 🅰b 〰 ⁉ ‼️ 👍🏿👍 😂😂😂 😂a😂 a‍😂 1‍😀 👩󠀂👩 🫠🫨 ♀ ⬛⬜🟩
Z̸̨̛͎a̷͝l̶g͜o͠ e\u0301 \u0301x ñ \u202eabc\u202c \u200fאבג\u200e a\u200bb a\u00adb a\u2060b \u2066x\u2069 x\u034fy \ufe0f
\u0600123 \u06dd\u0661 \u0600😀 1\u0600😀 \u0d4eക a\u180eb ｡ﾞ ﾞ ٠۰०০ ½ ² Ⅷ ⑧ ① ﹕ a：b a﹕b a·b a.b.c a..b 1.a a.1 1'2 a"b
\U000e0000 \U000e0000\U000e0000 \u2063 \u115f \u3164\u3164 \ufeff \ufeffx a\U000e0000b !x\U000e0000 \U000e0002 \u200d\u200d
\ufffd \uffff \U0010ffff \ue000 \U000323af \U0001f1e6 \U0001fffd \U000e0041 \u061c \u3000 \xa0 \x85 \u2028 \u1680 \x0b \x1c \x7f
Kappa PogChamp LUL :) :D <3 O_o R) D: :-( KEKW 7 TriHard
"""
SEPARATORS = [" "] * 12 + ["", "", "  ", "@", ":", ".", "'", "\u3000", "\xa0", "\U000e0000", " \U000e0000", "\u200d", "\U000e0002",
                           "\ufe0f", "\u0301", "\t", "!", " @", " !"]


def unescape(text):
    return re.sub(r"\\(U[0-9a-f]{8}|u[0-9a-f]{4}|x[0-9a-f]{2})", lambda match: chr(int(match[1][1:], 16)), text)


PIECES = [unescape(piece) for piece in PHRASES.split()]
POOL = sorted(set("".join(PIECES)))


def random_character(dice):
    if dice.random() < 0.8:
        return dice.choice(POOL)
    code_point = dice.choice([dice.randrange(0x300), dice.randrange(0x3000), dice.randrange(0x10000),
                              dice.randrange(0x1f000, 0x1fb00), dice.randrange(0xe0000, 0xe0200),
                              dice.randrange(0x110000)])
    return chr(code_point) if not 0xd800 <= code_point < 0xe000 else "\ufffd"


def random_text(dice):
    way = dice.random()
    if way < 0.6:
        text = "".join(dice.choice(PIECES) + dice.choice(SEPARATORS) for _ in range(dice.randint(1, 9)))
    elif way < 0.8:
        text = "".join(random_character(dice) for _ in range(dice.randint(1, 30)))
    else:
        text = "".join(dice.choice(dice.choice(PIECES)) for _ in range(dice.randint(1, 30)))
    if dice.random() < 0.2:
        for _ in range(dice.randint(1, 3)):
            at = dice.randint(0, len(text))
            text = text[:at] + random_character(dice) + text[at + dice.randint(0, 2):]
    sent = bytearray(text.encode())
    if dice.random() < 0.15:
        for _ in range(dice.randint(1, 4)):
            at = dice.randint(0, len(sent))
            sent[at:at + dice.randint(0, 2)] = dice.randbytes(dice.randint(0, 3))
    return bytes(sent)


def random_emotes(dice, length):
    """Ranges of whole chunks are the usual; any others are hostile."""
    if dice.random() < 0.6:
        return b""
    parts = []
    for _ in range(dice.randint(1, 5)):
        first = dice.randint(0, length)
        parts.append(dice.choice([f"{first}-{first + dice.randint(0, 6)}"] * 6 + [
            f"{first}-{dice.randint(0, length + 2)}", f"{first}", "-", "", f"-{first}", f"{first}-", "a-b", "0-99999",
            f"{first}-{first}-{first}", "99999999999999999999-99999999999999999999", f"0{first}-00{first}", "+1-2"]))
    return "".join(dice.choice(["25:", "emotesv2_a:", "", "1:2:"]) + ",".join(group) + dice.choice(["/", "", "//"])
                   for group in (parts[::2], parts[1::2])).encode()


def is_utf8(text):
    try:
        text.decode()
        return True
    except UnicodeDecodeError:
        return False


def main():
    tool, count, seed = sys.argv[1], int((sys.argv + ["8000"])[2]), int((sys.argv + ["", "1"])[3])
    dice = random.Random(seed)
    cases = [(piece.encode(), b"") for piece in PIECES]
    while len(cases) < count:
        text = random_text(dice)
        cases.append((text, random_emotes(dice, len(text.decode("utf-8", "replace")))))
    run = subprocess.run([tool], input="".join(f"{text.hex()} {emotes.hex()}\n" for text, emotes in cases),
                         capture_output=True, text=True, check=True)
    answers = run.stdout.splitlines()
    assert len(answers) == len(cases), f"{len(answers)} answers to {len(cases)} cases"
    wrong, kinds = 0, collections.Counter()
    for (text, emotes), answer in zip(cases, answers):
        bad, *found = answer.split()
        found = sorted((kind, bytes.fromhex(word).decode()) for kind, word in (each.split(":") for each in found))
        expected = sorted(words.tokens(text, emotes))
        kinds.update(kind for kind, _ in expected)
        if found != expected or (bad == "0") != is_utf8(text):
            wrong += 1
            if wrong <= 10:
                both = collections.Counter(expected) & collections.Counter(found)
                print(f"{text.decode('utf-8', 'backslashreplace')!a} emotes {emotes}\n  expected "
                      f"{sorted((collections.Counter(expected) - both).elements())!a}\n  found    "
                      f"{sorted((collections.Counter(found) - both).elements())!a}")
    print(f"{len(cases)} messages, seed {seed}: {wrong} split differently;",
          ", ".join(f"{kinds[kind]} of kind {kind}" for kind in words.KINDS))
    return 1 if wrong or min(kinds[kind] for kind in words.KINDS) == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
