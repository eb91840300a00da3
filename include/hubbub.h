/* hubbub.h - the public door of libhubbub: chat lines in, counts out.
 *
 * libhubbub parses Twitch IRC lines, splits texts into words, folds lines into sheets (all counts of one channel in one
 * hour), and encodes, merges and reads sheets. It does no I/O and has no global state. A handle (hb_words, hb_fold,
 * hb_sheet) may be used by one thread at a time; different handles may be used at the same time.
 *
 * Slices (hb_bytes) point into memory that somebody else owns; each function says who and for how long. They are not
 * NUL-terminated. All times are Unix times in UTC: names ending in _ms are milliseconds, names ending in _s seconds.
 * When memory runs out the process ends with one clear line: no function returns that as an error.
 */
#ifndef HUBBUB_H
#define HUBBUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HB_API __attribute__((visibility("default")))

/* ---- Slices and errors ---- */

/* A read-only run of bytes, owned by somebody else. data may be NULL when size is 0. */
typedef struct hb_bytes {
    const char *data;
    size_t size;
} hb_bytes;

typedef enum hb_code {
    HB_ERROR_NONE = 0,
    HB_ERROR_USAGE,   /* the caller asked for something that makes no sense */
    HB_ERROR_CORRUPT, /* bytes are not what their format demands */
    HB_ERROR_VERSION, /* bytes were written by a newer hubbub */
    HB_ERROR_SYSTEM,  /* the operating system refused: file, disk, memory map, thread */
    HB_ERROR_BUSY,    /* somebody else holds it: a port, a data directory */
    HB_ERROR_NETWORK, /* the other side of a connection failed us */
    HB_ERROR_MISSING, /* what was asked for does not exist */
    HB_ERROR_LIMIT    /* a stated bound would be exceeded */
} hb_code;

/* What went wrong. text is one sentence for a person, without a line end: what failed, on what, why. A function that
 * takes an hb_error fills it only when it fails; the pointer must not be NULL. */
typedef struct hb_error {
    hb_code code;
    char text[512];
} hb_error;

/* ---- IRC lines (RFC 1459 section 2.3.1, IRCv3 message tags) ---- */

enum { HB_LINE_PARAMS = 15 }; /* RFC 1459: "<params> ... up to 15"; what follows the 14th is the 15th */

/* A parsed line. All slices point into the text given to hb_line_parse. */
typedef struct hb_line {
    hb_bytes tags;    /* without '@', values still escaped; empty when there are none */
    hb_bytes source;  /* the prefix without ':'; empty when there is none */
    hb_bytes command; /* as sent; never empty */
    size_t param_count;
    hb_bytes params[HB_LINE_PARAMS];
} hb_line;

/* Parses one line, with or without its CR LF. Returns false, *line undefined, when it is malformed: no command, a
 * command that is neither letters nor three digits, a NUL, or a CR or LF inside. Never reads outside text. */
HB_API bool hb_line_parse(hb_bytes text, hb_line *line);

/* Steps through tags: takes the first tag off *rest. A tag without '=' has an empty value. Returns false at the end. */
HB_API bool hb_tags_next(hb_bytes *rest, hb_bytes *key, hb_bytes *value);

/* Finds a tag by its key (the last of that name, as IRCv3 demands); *value stays escaped. False when there is none. */
HB_API bool hb_line_tag(const hb_line *line, hb_bytes key, hb_bytes *value);

/* Undoes the escapes of a tag value (IRCv3: \: \s \\ \r \n; another escaped character stands for itself, a lone
 * backslash at the end is dropped). out needs value.size bytes; returns how many were written. */
HB_API size_t hb_tag_unescape(hb_bytes value, char *out);

/* ---- Facts: the lines that the log keeps ---- */

enum { HB_LOGIN_MAX = 50 }; /* bytes of a channel's or user's login; Twitch allows 25, older accounts had more */

typedef enum hb_fact_kind {
    HB_FACT_MESSAGE,   /* PRIVMSG */
    HB_FACT_NOTICE,    /* USERNOTICE: subscriptions, raids, announcements */
    HB_FACT_CLEARCHAT, /* a user's or all messages removed */
    HB_FACT_CLEARMSG,  /* one message removed */
    HB_FACT_ROOMSTATE, /* the room's settings */
    HB_FACT_STREAM,    /* a viewer sample, written by hubbub: "... :hubbub STREAM #channel 45123" */
    HB_FACT_EMOTES /* emotes that Twitch does not know, written by hubbub: "... :hubbub EMOTES #channel :KEKW catJAM" */
} hb_fact_kind;

/* A line seen as a fact. Slices point into the line. Tag values are still escaped. */
typedef struct hb_fact {
    hb_fact_kind kind;
    bool shared;           /* a Shared Chat copy: source-room-id is there and differs from room-id */
    bool first;            /* the user's first message in this channel ever: tag first-msg=1 */
    bool subscriber;       /* the user wears the badge subscriber or founder, or has the tag subscriber=1 */
    bool bad_timestamp;    /* tmi-sent-ts was missing or implausible, so time_ms is the time of receipt */
    bool action;           /* the text was wrapped in CTCP ACTION ("/me") */
    int64_t time_ms;       /* event time: tmi-sent-ts, else rm-received-ts */
    int64_t received_ms;   /* rm-received-ts, or 0 where the line has none */
    hb_bytes channel;      /* login without '#', as sent (Twitch sends lower case); 1 to HB_LOGIN_MAX of [A-Za-z0-9_] */
    hb_bytes room_id;      /* tag room-id, may be empty */
    hb_bytes id;           /* tag id; of a CLEARMSG target-msg-id; may be empty */
    hb_bytes user_id;      /* tag user-id; of a CLEARCHAT target-user-id; may be empty */
    hb_bytes login;        /* who: the source's nick, or tag login; of a CLEARCHAT or CLEARMSG the one removed;
                              may be empty */
    hb_bytes display_name; /* tag display-name, may be empty */
    hb_bytes emotes;       /* tag emotes, may be empty */
    hb_bytes text;         /* the last parameter of PRIVMSG or USERNOTICE without the ACTION wrapper; names of emotes,
                              with spaces between them; else empty */
    uint64_t viewers;      /* of a viewer sample */
    hb_bytes game;         /* of a viewer sample: tag game-name */
    hb_bytes title;        /* of a viewer sample: tag title */
} hb_fact;

enum {
    HB_EMOTE_NAME_MAX = 100,      /* bytes of a name in EMOTES; the services allow some 30 to 100 */
    HB_EMOTES_MAX = 16384,        /* names of a channel in an hour; the largest channels have some 2,500 */
    HB_EMOTES_BYTES_MAX = 1 << 18 /* bytes of these names */
};

typedef enum hb_fact_status {
    HB_FACT_OK,
    HB_FACT_OTHER,    /* a well-formed line that is no fact: PING, JOIN, a numeric */
    HB_FACT_UNTIMED,  /* would be a fact, but holds no plausible time at all */
    HB_FACT_MALFORMED /* not an IRC line, or a fact without a plausible channel */
} hb_fact_status;

/* Reads a line as a fact; *fact is defined only when HB_FACT_OK comes back. Event time is tmi-sent-ts; where it is
 * missing, before June 2011 (Twitch's beginning) or over 24 h after the time of receipt, it is the time of receipt. A
 * line without a time of receipt goes by any tmi-sent-ts from June 2011 to the year 9999. */
HB_API hb_fact_status hb_fact_read(hb_bytes line, hb_fact *fact);

/* ---- Words ---- */

/* The version of what a word is. It grows whenever the same text would be split differently. */
enum { HB_WORDS_VERSION = 1 };

typedef enum hb_kind { HB_WORD, HB_EMOTE, HB_EMOJI, HB_MENTION, HB_LINK, HB_COMMAND, HB_KINDS } hb_kind;

/* The kind's name in tables and answers ("word", "emote" ...): a constant. */
HB_API const char *hb_kind_name(hb_kind kind);

/* Finds a kind by its name; false when there is none such. */
HB_API bool hb_kind_parse(hb_bytes name, hb_kind *kind);

typedef struct hb_token {
    hb_kind kind;
    hb_bytes text; /* in the spelling that is counted; valid UTF-8; never empty */
} hb_token;

typedef struct hb_words hb_words; /* a splitter: ICU's iterators and room to work */

/* Makes a splitter; NULL and *error when ICU's data cannot be had. The caller closes it. */
HB_API hb_words *hb_words_open(hb_error *error);
HB_API void hb_words_close(hb_words *words);

/* Splits a message's text (without the ACTION wrapper) into tokens, in no promised order; emotes is the message's
 * emotes tag, or empty. A text is read up to its first MiB. *tokens belongs to the splitter, its texts to the splitter
 * or to text: both hold until the next call. *bad_utf8 tells whether bytes had to be replaced by U+FFFD. Returns how
 * many tokens there are. */
HB_API size_t hb_words_split(hb_words *words, hb_bytes text, hb_bytes emotes, const hb_token **tokens, bool *bad_utf8);

/* ---- Sheets: all counts of one channel in one hour ---- */

typedef struct hb_sheet hb_sheet;

typedef struct hb_minute {
    uint64_t messages;
    uint64_t words;               /* tokens of every kind */
    uint64_t chatters;            /* distinct users */
    uint64_t shared;              /* Shared Chat copies, counted nowhere else */
    uint64_t new_chatters;        /* messages that were the user's first in this channel */
    uint64_t subscriber_messages; /* messages of the channel's subscribers */
    uint64_t viewers_sum;         /* sum of the viewer samples; divide by samples for the mean */
    uint64_t samples;
    hb_bytes game; /* of the minute's latest sample; unescaped; empty without one */
    hb_bytes title;
} hb_minute;

typedef struct hb_word {
    hb_kind kind;
    hb_bytes text;
    uint64_t count;
} hb_word;

typedef struct hb_user {
    hb_bytes id;   /* user-id, or the login where there is none */
    hb_bytes name; /* the display name, else the login, of the user's latest message (of several in one millisecond the
                      greatest in the order of bytes); valid UTF-8 */
    uint64_t messages;
    uint64_t words;
    uint64_t minutes; /* bit m: the user wrote in minute m of the hour */
} hb_user;

/* Makes an empty sheet of a channel (a login in lower case) and an hour (Unix seconds, a multiple of 3600). */
HB_API hb_sheet *hb_sheet_open(hb_bytes channel, int64_t hour_s);
HB_API void hb_sheet_close(hb_sheet *sheet);

/* What the sheet is of. Slices belong to the sheet and hold until it changes. */
HB_API hb_bytes hb_sheet_channel(const hb_sheet *sheet);
HB_API int64_t hb_sheet_hour(const hb_sheet *sheet);
HB_API hb_bytes hb_sheet_room_id(const hb_sheet *sheet); /* may be empty */
HB_API int64_t hb_sheet_first_ms(const hb_sheet *sheet); /* event time of the first fact counted; 0 when none */
HB_API int64_t hb_sheet_last_ms(const hb_sheet *sheet);

/* Reads the counts of minute 0 to 59. */
HB_API hb_minute hb_sheet_minute(const hb_sheet *sheet, unsigned minute);

/* Distinct chatters of the minutes from first to last, both counted in. */
HB_API uint64_t hb_sheet_chatters(const hb_sheet *sheet, unsigned first, unsigned last);

/* Steps through words and users in no promised order: start with *cursor = 0. Returns false at the end. */
HB_API bool hb_sheet_next_word(const hb_sheet *sheet, size_t *cursor, hb_word *word);
HB_API bool hb_sheet_next_user(const hb_sheet *sheet, size_t *cursor, hb_user *user);

/* Encodes the sheet; equal sheets give equal bytes (with one version of zstd). *data is the caller's, to be freed with
 * hb_free. */
HB_API void hb_sheet_encode(const hb_sheet *sheet, char **data, size_t *size);

/* Reads an encoded sheet. NULL and *error: HB_ERROR_CORRUPT (torn, altered) or HB_ERROR_VERSION (a newer hubbub's).
 * Whatever the bytes are, at most 640 MiB are taken to unpack them, and what a full sheet needs (see hb_fold_lines). */
HB_API hb_sheet *hb_sheet_decode(hb_bytes data, hb_error *error);

/* Adds the counts of another sheet of the same channel and hour (HB_ERROR_USAGE otherwise). Associative, commutative.
 * HB_ERROR_LIMIT, and nothing changed: together they could pass the limits of a sheet (see hb_fold_lines). */
HB_API bool hb_sheet_merge(hb_sheet *into, const hb_sheet *from, hb_error *error);

HB_API void hb_free(void *memory);

/* ---- Rows: what a store keeps of a sheet, as bytes that any language reads ----
 *
 * Rows come as one run of bytes without pointers: records, one behind the other up to the end, each a byte of hb_row
 * that tells its sort, then its fields in the order given there. Numbers are little-endian, i8 to i64 wide; a text (t)
 * is its size (i32) and its bytes: valid UTF-8, but for a sheet. Names of fields are those of docs/store.md; times are
 * Unix seconds. */
typedef enum hb_row {
    HB_ROW_PROGRESS = 1, /* part, start, position: i64; done: i8; late: i64 */
    HB_ROW_REPLACE,      /* whole: i8 (1: of all channels, 0: of those with a sheet here), hour: i64 */
    HB_ROW_SUBJECT,      /* channel: t, hour: i64: what the rows from here to the next subject are of */
    HB_ROW_MINUTE,       /* minute, messages, words, chatters, shared, new_chatters, subscriber_messages, viewers_sum,
                            samples: i64; game, title: t */
    HB_ROW_WORD,         /* gone: i8 (1: has left the top: delete the row), kind: i8 (hb_kind), count: i64, word: t */
    HB_ROW_USER,         /* gone: i8, messages, words, minutes: i64; user_id, user_name: t */
    HB_ROW_SHEET,        /* open: i8 (1: the hour still goes on), words_version: i32, sheet: t */
    HB_ROW_TOP_WORD,     /* kind: i8, rank: i32, count: i64, word: t */
    HB_ROW_TOP_USER,     /* rank: i32; messages, words: i64; user_id, user_name: t */
    HB_ROW_CHANNEL       /* first_seen, last_seen: i64; room_id: t (may be empty) */
} hb_row;

enum { HB_ROWS_RANKED = 100 }; /* top words of each kind, and top users, that get a record with their rank */

/* Makes the rows of a sheet: its minutes; of each kind the first `top` words (by count falling, then by the bytes), and
 * as many users (by messages falling, then by the id's bytes); the sheet itself; the first HB_ROWS_RANKED of each with
 * their ranks; the channel. top: 1 up, or HB_ROWS_ALL. *data is the caller's, to be freed with hb_free. */
#define HB_ROWS_ALL UINT32_MAX
HB_API void hb_sheet_rows(hb_sheet *sheet, uint32_t top, char **data, size_t *size);

/* ---- The fold: lines -> sheets ---- */

typedef struct hb_fold hb_fold;

/* What the fold met. All only grow. */
typedef struct hb_fold_counts {
    uint64_t lines;
    uint64_t facts;          /* lines that are facts, duplicates included */
    uint64_t messages;       /* messages counted, Shared Chat copies not included */
    uint64_t shared;         /* Shared Chat copies counted */
    uint64_t words;          /* tokens counted */
    uint64_t duplicates;     /* messages and notices whose id this channel had already in this hour */
    uint64_t others;         /* lines that are no facts */
    uint64_t malformed;      /* lines that are no IRC, are over HB_FOLD_LINE_MAX, or facts without a time or channel */
    uint64_t bad_timestamps; /* facts that go by their time of receipt */
    uint64_t bad_utf8;       /* messages in which bytes had to be replaced */
    uint64_t misplaced;      /* facts of an hour other than the one that hb_fold_hour allows: not counted */
    uint64_t untaken;        /* tokens and chatters that a full sheet has in its minutes only; see hb_fold_lines */
} hb_fold_counts;

enum { HB_FOLD_LINE_MAX = 256 * 1024 }; /* bytes of a line; Twitch's have less than 10 KiB */

/* Makes a fold with no sheets; NULL and *error as hb_words_open. */
HB_API hb_fold *hb_fold_open(hb_error *error);
HB_API void hb_fold_close(hb_fold *fold); /* its sheets too */

/* Counts lines, each ended by LF (the last LF may be missing). They need not stay after the call. The more lines a
 * call, the faster: some ten MiB are good.
 *
 * An id counts once a channel and hour, over all calls until the hour is forgotten, for messages and notices alike.
 * Ids are told apart by 64 bits of hash: in a channel with a million messages an hour, one is taken for another's
 * duplicate about once in 37 million such hours.
 *
 * EMOTES tells names of emotes of BetterTTV, FrankerFaceZ or 7TV: from its event time to the end of its hour, a message
 * of the channel counts chunks that are one of them as of kind emote. Of those that come later than the message, in
 * another call, it knows nothing. A channel and hour takes up to 16,384 names, of 256 KiB together.
 *
 * PRIVMSG counts as a message with its words and its user; as a Shared Chat copy it adds to shared only. Viewer samples
 * add to their minute. All facts widen first and last and tell the room id. A sheet takes up to 8 Mi words and users
 * each, of 128 MiB together; beyond that, new ones are left out of its lists but counted in its minutes. */
HB_API void hb_fold_lines(hb_fold *fold, hb_bytes lines);

/* From now on counts only facts of this hour (Unix seconds, a multiple of 3600); HB_FOLD_ANY_HOUR, as at the start, for
 * all. */
#define HB_FOLD_ANY_HOUR INT64_MIN
HB_API void hb_fold_hour(hb_fold *fold, int64_t hour_s);

/* Closes the sheets of an hour and forgets its ids; HB_FOLD_ANY_HOUR: of all hours. */
HB_API void hb_fold_forget(hb_fold *fold, int64_t hour_s);

HB_API hb_fold_counts hb_fold_count(const hb_fold *fold);

/* Steps through the sheets in no promised order: start with *cursor = 0. NULL at the end. They stay the fold's. */
HB_API hb_sheet *hb_fold_next_sheet(hb_fold *fold, size_t *cursor);

#ifdef __cplusplus
}
#endif

#endif
