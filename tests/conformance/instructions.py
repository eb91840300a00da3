"""Counts the instructions that a message costs from its line to the counts: parsing, splitting into words, folding.

    instructions.py FOLD_TOOL HUBBUB

Time depends on the machine and on what else runs there; instructions hardly do, so a bound on them tells of a change
that makes counting slower. The chat is simulated, from a seed, with some 11 % of texts that are not ASCII. Where the
count is not comparable (no valgrind, another processor, a build that is not optimised or is watched by sanitizers) the
test is skipped, and says why.
"""
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

MESSAGES = 50_000
# Instructions a message, as measured on 2026-11-25 with gcc 12 at -O2 (at -O3 there are 6,630). A change that is meant
# to cost more says in its message what for, and sets this anew; so does one that makes it much cheaper.
MEASURED = 7_010
BOUND = MEASURED * 1.10
SKIPPED = 77  # so Meson is told


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def run(*command):
    # Meson has malloc fill what it gives, which costs instructions that no user pays.
    settings = {key: value for key, value in os.environ.items() if not key.startswith(("MALLOC_", "HUBBUB_"))}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=settings)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done


def count(fold_tool, hubbub, folder):
    """Instructions inside hb_fold_lines, and the messages that it counted."""
    chat = f"{folder}/chat.irc"
    run(hubbub, "simulate", "--write", chat, "--count", str(MESSAGES), "--rate", "100", "--channels", "20",
        "--seed", "1", "--start", "2025-11-24T16:00Z")
    done = run("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out",
               "--toggle-collect=hb_fold_lines", fold_tool, chat)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if not collected:
        sys.exit(f"valgrind did not say what it collected: {done.stderr}")
    return int(collected[1]), int(done.stdout)


def main():
    _, fold_tool, hubbub = sys.argv
    if not shutil.which("valgrind"):
        skip("there is no valgrind")
    if platform.machine() != "x86_64":
        skip(f"what is known is for x86_64, and this is {platform.machine()}")
    if os.environ["OPTIMIZATION"] not in ("2", "3") or os.environ["SANITIZE"] != "none":
        skip("this build is not optimised, or is watched by sanitizers")
    with tempfile.TemporaryDirectory() as folder:
        instructions, messages = count(fold_tool, hubbub, folder)
    if messages != MESSAGES:
        sys.exit(f"{messages} messages were counted, not {MESSAGES}")
    each = instructions / messages
    print(f"{each:,.0f} instructions a message; {BOUND:,.0f} at most")
    if each > BOUND:
        sys.exit("counting a message has become dearer; callgrind_annotate tells where")


main()
