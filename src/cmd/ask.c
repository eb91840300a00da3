/* ask.c - the commands that ask the store: channels, rate, words, users, viewers, engagement, moments. */
#include "cmd/commands.h"

#include "base/clock.h"
#include "base/error.h"
#include "cmd/server_options.h"
#include "serve/answer.h"
#include "twitch/channel_name.h"

#include <errno.h>
#include <stdio.h>

#define ASK_PLACES                                                                                                     \
    {"data", HB_OPTION_TEXT, "DIR", "./hubbub-data", "where everything is kept"},                                      \
        {"store", HB_OPTION_TEXT, "PLACE", NULL,                                                                       \
         "the counts: a file, or cassandra://HOST/KEYSPACE (default: DATA/hubbub.db)"},                                \
    {                                                                                                                  \
        "cassandra-config", HB_OPTION_SETTING, "KEY=VALUE", NULL, "a setting of the connection to Cassandra"           \
    }
#define ASK_RANGE                                                                                                      \
    {"from", HB_OPTION_TIME, "TIME", NULL, "from here on (default: an hour before --to)"},                             \
    {                                                                                                                  \
        "to", HB_OPTION_TIME, "TIME", "now", "up to here"                                                              \
    }
#define ASK_FORMAT                                                                                                     \
    {                                                                                                                  \
        "format", HB_OPTION_TEXT, "FORMAT", "table", "table, json or csv"                                              \
    }
#define ASK_LIMIT(limit, help)                                                                                         \
    {                                                                                                                  \
        "limit", HB_OPTION_NUMBER, "N", limit, help                                                                    \
    }

static bool take_format(const hb_options *options, hb_format *format, hb_error *error)
{
    const char *name = hb_options_text(options, "format");
    return hb_format_parse(hb_bytes_of(name), format) ||
           hb_fail(error, HB_ERROR_USAGE, "--format is '%s', but must be table, json or csv", name);
}

static bool take_limit(const hb_options *options, uint32_t *limit, hb_error *error)
{
    const uint64_t number = hb_options_number(options, "limit");
    *limit = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    return number > 0 || hb_fail(error, HB_ERROR_USAGE, "--limit must be at least 1");
}

static bool take_kind(const hb_options *options, hb_kind *kind, hb_error *error)
{
    const char *name = hb_options_text(options, "kind");
    *kind = HB_KINDS;
    return name == NULL || hb_kind_parse(hb_bytes_of(name), kind) ||
           hb_fail(error, HB_ERROR_USAGE, "--kind is '%s', but must be word, emote, emoji, mention, link or command",
                   name);
}

/* Checks the name too: a wrong one is wrong usage, whether there is a store or not. */
static bool take_channel(const hb_options *options, hb_bytes *channel, hb_error *error)
{
    char login[HB_LOGIN_MAX + 1];
    if (hb_options_argument_count(options) == 0)
        return hb_fail(error, HB_ERROR_USAGE, "which channel? Name one; 'hubbub channels' lists them");
    *channel = hb_bytes_of(hb_options_argument(options, 0));
    return hb_channel_name_read(*channel, login) ||
           hb_fail(error, HB_ERROR_USAGE, "'%.*s' is no channel name: 1 to %d letters, digits and _",
                   HB_PRINT(*channel), HB_LOGIN_MAX);
}

static bool take_question(const hb_options *options, hb_question *question, hb_error *error)
{
    if (!take_limit(options, &question->limit, error))
        return false;
    if (question->kind == HB_ASK_CHANNELS)
        return true;
    const bool all = question->kind == HB_ASK_MOMENTS && hb_options_argument_count(options) == 0;
    if (!all && !take_channel(options, &question->channel, error))
        return false;
    question->to_s = hb_options_time(options, "to");
    question->from_s =
        hb_options_given(options, "from") ? hb_options_time(options, "from") : question->to_s - HB_HOUR_S;
    if (question->from_s < 0)
        question->from_s = 0;
    return question->kind != HB_ASK_WORDS || take_kind(options, &question->word_kind, error);
}

static bool print(const hb_answer *answer, hb_format format, hb_error *error)
{
    hb_buffer out = {0};
    hb_answer_print(answer, format, &out);
    if (format == HB_FORMAT_JSON)
        hb_buffer_append_char(&out, '\n');
    const bool good = (fwrite(out.data, 1, out.size, stdout) == out.size && fflush(stdout) == 0) ||
                      errno == EPIPE || /* a reader that has seen enough, such as head */
                      hb_fail_errno(error, "cannot write the answer");
    hb_buffer_free(&out);
    return good;
}

/* What is left out of the answer; *ignored is NULL where the command ranks no users. */
static bool take_ignored(const hb_options *options, hb_question *question, hb_ignored **ignored, hb_error *error)
{
    *ignored = NULL;
    if (question->kind != HB_ASK_USERS)
        return true;
    *ignored = hb_ignored_read(options, error);
    question->ignored = hb_options_flag(options, "bots") ? NULL : *ignored;
    return *ignored != NULL;
}

static int ask(const hb_options *options, hb_question_kind kind)
{
    hb_error error;
    hb_format format;
    hb_question question = {.kind = kind, .word_kind = HB_KINDS};
    hb_ignored *ignored = NULL;
    if (!take_format(options, &format, &error) || !take_question(options, &question, &error) ||
        !take_ignored(options, &question, &ignored, &error))
        return hb_exit_code(&error);
    hb_store *store = hb_store_open(hb_options_store(options), HB_STORE_READ, &error);
    hb_answer *answer = store == NULL ? NULL : hb_answer_open(store, &question, hb_now_ms() / 1000, &error);
    const bool good = answer != NULL && print(answer, format, &error);
    hb_answer_close(answer);
    hb_store_close(store);
    hb_ignored_close(ignored);
    return good ? 0 : hb_exit_code(&error);
}

static int ask_channels(const hb_options *options)
{
    return ask(options, HB_ASK_CHANNELS);
}

static int ask_rate(const hb_options *options)
{
    return ask(options, HB_ASK_RATE);
}

static int ask_words(const hb_options *options)
{
    return ask(options, HB_ASK_WORDS);
}

static int ask_users(const hb_options *options)
{
    return ask(options, HB_ASK_USERS);
}

static int ask_viewers(const hb_options *options)
{
    return ask(options, HB_ASK_VIEWERS);
}

static int ask_engagement(const hb_options *options)
{
    return ask(options, HB_ASK_ENGAGEMENT);
}

static int ask_moments(const hb_options *options)
{
    return ask(options, HB_ASK_MOMENTS);
}

static const hb_option channels_options[] = {
    ASK_LIMIT("10000", "how many channels, the busiest first"), ASK_FORMAT, ASK_PLACES, {NULL}};
static const hb_option minutes_options[] = {
    ASK_RANGE, ASK_LIMIT("1440", "how many minutes, the newest"), ASK_FORMAT, ASK_PLACES, {NULL}};
static const hb_option moments_options[] = {
    ASK_RANGE, ASK_LIMIT("100", "how many moments, the newest"), ASK_FORMAT, ASK_PLACES, {NULL}};
static const hb_option words_options[] = {
    ASK_RANGE,
    ASK_LIMIT("100", "how many words, the most frequent first"),
    {"kind", HB_OPTION_TEXT, "KIND", NULL, "only word, emote, emoji, mention, link or command"},
    ASK_FORMAT,
    ASK_PLACES,
    {NULL}};
static const hb_option users_options[] = {
    ASK_RANGE,
    ASK_LIMIT("100", "how many users, the most active first"),
    HB_OPTION_IGNORE_USER,
    {"bots", HB_OPTION_FLAG, "", NULL, "leave nobody out, neither well-known bots nor --ignore-user"},
    ASK_FORMAT,
    ASK_PLACES,
    {NULL}};

const hb_command hb_command_channels = {"channels",       "", "all channels with their live rates",
                                        channels_options, 0,  ask_channels};
const hb_command hb_command_rate = {
    "rate", "CHANNEL", "a channel's messages, words and chatters, minute by minute", minutes_options, 1, ask_rate};
const hb_command hb_command_words = {"words",       "CHANNEL", "a channel's most frequent words and emotes",
                                     words_options, 1,         ask_words};
const hb_command hb_command_users = {"users", "CHANNEL", "a channel's most active users", users_options, 1, ask_users};
const hb_command hb_command_viewers = {
    "viewers", "CHANNEL", "a channel's viewers, game and title, minute by minute", minutes_options, 1, ask_viewers};
const hb_command hb_command_engagement = {
    "engagement",    "CHANNEL", "how much a channel's viewers take part, minute by minute",
    minutes_options, 1,         ask_engagement};
const hb_command hb_command_moments = {
    "moments", "[CHANNEL]", "minutes in which chat stood out, and its words then", moments_options, 1, ask_moments};
