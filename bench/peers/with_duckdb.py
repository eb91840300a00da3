"""Chat counted by DuckDB: with_duckdb.py LINES OUT. See bench/run for the job and its output.

The lines are read as a CSV of one column, which DuckDB does with all cores. Fields are cut out with split_part: half
the time of searching by position (instr counts characters, not bytes) or of a regular expression for each field, a
fifteenth of one expression with groups. Tags stand in alphabetical order, so what follows tmi-sent-ts holds the rest.
"""
import sys

import duckdb

lines, out = sys.argv[1:]
database = duckdb.connect()


def write(query, name):
    database.execute(f"""copy ({query}) to '{out}/{name}.tsv'
                         (format csv, delimiter '\t', header false, quote '', escape '')""")


database.execute("set preserve_insertion_order = false")
database.execute(f"""
    create temp table chat as
    with lines as (
        from read_csv('{lines}', columns = {{'line': 'varchar'}}, auto_detect = false, header = false, delim = '\x02',
                      quote = '', escape = '')),
    tails as (
        select split_part(line, ';tmi-sent-ts=', 2) as tail, split_part(tail, ' PRIVMSG #', 2) as rest from lines
        where contains(line, ' PRIVMSG #')
          and (not contains(line, ';source-room-id=')
               or split_part(split_part(line, ';source-room-id=', 2), ';', 1)
                  = split_part(split_part(line, ';room-id=', 2), ';', 1)))
    select split_part(rest, ' ', 1) as channel,
           split_part(tail, ';', 1)::bigint // 60000 * 60 as minute,
           split_part(split_part(tail, ';user-id=', 2), ';', 1)::ubigint as user_id,
           substr(rest, length(channel) + 3) as text
    from tails""")
write("select channel, minute, count(*), count(distinct user_id) from chat group by all", "minutes")
write("""select channel, user_id, count(*) as messages from chat group by channel, user_id
         qualify row_number() over (partition by channel order by messages desc, user_id::varchar) <= 100""", "users")
write("""select channel, word, count(*) as count
         from (select channel, unnest(string_split(text, ' ')) as word from chat) where word != ''
         group by channel, word
         qualify row_number() over (partition by channel order by count desc, word) <= 100""", "words")
