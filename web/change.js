// How much more often a word came than before: the words of a range against those of as long a time just before it.

const noteworthy = 1.25; // times as often, or as seldom
const fewest = 5; // times that a word must have come, here or there, to say anything

const key = ({ kind, word }) => `${kind} ${word}`;

// What to ask for: as long as the answer about `now`, and just before it. Times are those of answers.
export function before({ from, to }) {
  const start = Date.parse(from) / 1000;
  const end = Date.parse(to) / 1000;
  return { from: Math.max(0, 2 * start - end), to: start };
}

// Texts by row: "×2.3", "×0.4", "new"; ">×4" of a word that is not in the old answer, if that was full: it came at most as
// often as that answer's last row. nowMs: an answer's last hour may go on.
export function changes(answer, old, limit, nowMs) {
  const texts = new Map();
  if (old.rows.length === 0) return texts;
  const start = Date.parse(answer.from);
  const length = Date.parse(answer.to) - start;
  const passed = Math.min(length, Math.max(60000, nowMs - start));
  const counts = new Map(old.rows.map((row) => [key(row), row.count]));
  const unseen = old.rows.length >= limit ? old.rows.at(-1).count : 0;
  for (const row of answer.rows) {
    const known = counts.get(key(row));
    const was = known ?? unseen;
    if (Math.max(row.count, was) < fewest) continue;
    const times = row.count / passed / (was / length);
    if (was === 0) texts.set(key(row), 'new');
    else if (known === undefined && times >= noteworthy) texts.set(key(row), `>×${rounded(times)}`);
    else if (known !== undefined && (times >= noteworthy || times <= 1 / noteworthy))
      texts.set(key(row), `×${rounded(times)}`);
  }
  return texts;
}

const rounded = (times) => (times >= 10 ? String(Math.round(times)) : times.toFixed(times < 0.1 ? 2 : 1));

export const changeKey = key;
