"""Adds up a Meson testlog.json: prints "passed failed skipped", then a line with the reason of each skip."""
import json
import sys

counts = {"OK": 0, "FAIL": 0, "SKIP": 0}
reasons = []
with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        test = json.loads(line)
        result = test["result"] if test["result"] in ("OK", "SKIP") else "FAIL"
        counts[result] += 1
        if result == "SKIP":
            said = (test.get("stdout") or "").strip().splitlines() or ["no reason given"]
            reasons.append(f"skip  {test['name']}: {said[-1]}")
print(counts["OK"], counts["FAIL"], counts["SKIP"])
for reason in reasons:
    print(reason)
