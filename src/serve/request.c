/* request.c - paths and queries.
 *
 * Everything is decoded into small fixed buffers: whatever a client sends, parsing it costs no allocation. A parameter
 * that is not known is refused rather than passed over, since a mistyped "form=" would silently answer something else.
 */
#include "serve/request.h"

#include "base/clock.h"
#include "base/error.h"
#include "twitch/channel_name.h"

#include <inttypes.h>
#include <strings.h>

enum { VALUE_MAX = HB_REQUEST_TEXT_MAX }; /* bytes of a decoded parameter */

/* ---- Decoding ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent-encoding (RFC 3986 section 2.1); in a query '+' is a space as well. False: broken, or over room. */
static bool decode(hb_bytes text, bool plus_is_space, char *out, size_t room, hb_bytes *decoded)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            if (text.size - i < 3)
                return false;
            const int high = hex_digit(text.data[i + 1]);
            const int low = hex_digit(text.data[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (size == room)
            return false;
        out[size++] = c;
    }
    *decoded = (hb_bytes){out, size};
    return true;
}

/* ---- Parameters ---- */

typedef enum parameter {
    FROM = 1,
    TO = 2,
    LIMIT = 4,
    KIND = 8,
    USER = 16,
    DELETED = 32,
    CHANNEL = 64,
    TEXT = 128,
    BEFORE = 256,
    FORMAT = 512,
    BOTS = 1024,
    STEP = 2048
} parameter;

static bool take_time(hb_bytes value, const char *name, int64_t now_s, int64_t *time_s, hb_error *error)
{
    return hb_time_parse(value, now_s, time_s) ||
           hb_fail(error, HB_ERROR_USAGE,
                   "%s is '%.*s', but must be a time such as 2026-11-24T13:00Z, -6h or 1764000000", name,
                   HB_PRINT(value));
}

static bool take_limit(hb_bytes value, uint32_t *limit, hb_error *error)
{
    uint64_t number = 0;
    if (!hb_bytes_to_u64(value, &number) || number < 1 || number > HB_LIMIT_MAX)
        return hb_fail(error, HB_ERROR_USAGE, "limit is '%.*s', but must be a number from 1 to %d", HB_PRINT(value),
                       HB_LIMIT_MAX);
    *limit = (uint32_t)number;
    return true;
}

static bool take_step(hb_bytes value, int64_t *step_s, hb_error *error)
{
    uint64_t number = 0;
    if (!hb_bytes_to_u64(value, &number) || number < HB_MINUTE_S || number > HB_ANSWER_STEP_MAX_S ||
        number % HB_MINUTE_S != 0)
        return hb_fail(error, HB_ERROR_USAGE, "step is '%.*s', but must be seconds: a multiple of 60, up to %d",
                       HB_PRINT(value), HB_ANSWER_STEP_MAX_S);
    *step_s = (int64_t)number;
    return true;
}

static bool take_kind(hb_bytes value, hb_kind *kind, hb_error *error)
{
    if (hb_bytes_equal(value, HB_BYTES("all")))
        *kind = HB_KINDS;
    else if (!hb_kind_parse(value, kind))
        return hb_fail(error, HB_ERROR_USAGE,
                       "kind is '%.*s', but must be word, emote, emoji, mention, link, command or all",
                       HB_PRINT(value));
    return true;
}

static bool take_flag(hb_bytes value, const char *name, bool *flag, hb_error *error)
{
    *flag = hb_bytes_equal(value, HB_BYTES("1")) || hb_bytes_equal(value, HB_BYTES("true"));
    if (!*flag && !hb_bytes_equal(value, HB_BYTES("0")) && !hb_bytes_equal(value, HB_BYTES("false")))
        return hb_fail(error, HB_ERROR_USAGE, "%s is '%.*s', but must be 0 or 1", name, HB_PRINT(value));
    return true;
}

static bool take_named_login(hb_bytes value, const char *name, char out[HB_LOGIN_MAX + 1], hb_error *error)
{
    return hb_channel_name_read(value, out) ||
           hb_fail(error, HB_ERROR_USAGE, "%s is '%.*s', but must be a login: 1 to %d letters, digits and _", name,
                   HB_PRINT(value), HB_LOGIN_MAX);
}

static bool take_text(hb_bytes value, char out[HB_REQUEST_TEXT_MAX + 1], hb_error *error)
{
    if (value.size == 0 || value.size > HB_REQUEST_TEXT_MAX || memchr(value.data, '\0', value.size) != NULL)
        return hb_fail(error, HB_ERROR_USAGE, "text must be 1 to %d bytes, without NUL", HB_REQUEST_TEXT_MAX);
    memcpy(out, value.data, value.size);
    out[value.size] = '\0';
    return true;
}

static bool take_cursor(hb_bytes value, hb_request *request, hb_error *error)
{
    hb_bytes rest = value;
    hb_bytes time;
    uint64_t time_ms = 0;
    request->paged = hb_bytes_cut(&rest, '-', &time) && hb_bytes_to_u64(time, &time_ms) && time_ms <= INT64_MAX / 2 &&
                     hb_bytes_to_u64(rest, &request->before.at);
    request->before.time_ms = (int64_t)time_ms;
    return request->paged ||
           hb_fail(error, HB_ERROR_USAGE, "before is '%.*s', but must be the \"next\" that an earlier answer gave",
                   HB_PRINT(value));
}

static bool take_format(hb_bytes value, hb_messages_format *format, hb_error *error)
{
    static const char *const names[] = {"json", "jsonl", "raw", "text"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (hb_bytes_equal(value, hb_bytes_of(names[i]))) {
            *format = (hb_messages_format)i;
            return true;
        }
    return hb_fail(error, HB_ERROR_USAGE, "format is '%.*s', but must be json, jsonl, raw or text", HB_PRINT(value));
}

static parameter find_parameter(hb_bytes name)
{
    static const struct {
        hb_bytes name;
        parameter parameter;
    } known[] = {{{"from", 4}, FROM},     {{"to", 2}, TO},           {{"limit", 5}, LIMIT},     {{"kind", 4}, KIND},
                 {{"user", 4}, USER},     {{"deleted", 7}, DELETED}, {{"channel", 7}, CHANNEL}, {{"text", 4}, TEXT},
                 {{"before", 6}, BEFORE}, {{"format", 6}, FORMAT},   {{"step", 4}, STEP},       {{"bots", 4}, BOTS}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (hb_bytes_equal(known[i].name, name))
            return known[i].parameter;
    return 0;
}

static bool take_parameter(parameter which, hb_bytes value, int64_t now_s, hb_request *request, hb_error *error)
{
    switch (which) {
    case FROM:
        return take_time(value, "from", now_s, &request->question.from_s, error);
    case TO:
        return take_time(value, "to", now_s, &request->question.to_s, error);
    case LIMIT:
        return take_limit(value, &request->question.limit, error);
    case KIND:
        return take_kind(value, &request->question.word_kind, error);
    case USER:
        return take_named_login(value, "user", request->user, error);
    case DELETED:
        return take_flag(value, "deleted", &request->deleted, error);
    case CHANNEL:
        return take_named_login(value, "channel", request->channel, error);
    case TEXT:
        return take_text(value, request->text, error);
    case BEFORE:
        return take_cursor(value, request, error);
    case FORMAT:
        return take_format(value, &request->format, error);
    case STEP:
        return take_step(value, &request->question.step_s, error);
    case BOTS:
        return take_flag(value, "bots", &request->bots, error);
    }
    return false;
}

/* allowed: the parameters that this path knows. *seen: those that were there. */
static bool take_query(hb_bytes query, unsigned allowed, int64_t now_s, hb_request *request, unsigned *seen,
                       hb_error *error)
{
    hb_bytes pair;
    while (hb_bytes_cut(&query, '&', &pair)) {
        char name_room[VALUE_MAX];
        char value_room[VALUE_MAX];
        hb_bytes encoded_name = {NULL, 0};
        hb_bytes name;
        hb_bytes value;
        if (pair.size == 0)
            continue;
        hb_bytes_cut(&pair, '=', &encoded_name);
        if (!decode(encoded_name, true, name_room, sizeof name_room, &name) ||
            !decode(pair, true, value_room, sizeof value_room, &value))
            return hb_fail(error, HB_ERROR_USAGE, "a parameter is too long or its percent-encoding is broken");
        const parameter which = find_parameter(name);
        if ((which & allowed) == 0)
            return hb_fail(error, HB_ERROR_USAGE, "there is no parameter '%.*s' here; /openapi.json lists them",
                           HB_PRINT(name));
        if ((*seen & which) != 0)
            return hb_fail(error, HB_ERROR_USAGE, "the parameter %.*s is there twice", HB_PRINT(name));
        *seen |= which;
        if (!take_parameter(which, value, now_s, request, error))
            return false;
    }
    return true;
}

/* ---- Paths ---- */

typedef struct view {
    hb_bytes name;
    hb_route route;
    hb_question_kind kind;
    unsigned allowed;
    uint32_t limit;
} view;

static const view views[] = {
    {{"rate", 4}, HB_ROUTE_ANSWER, HB_ASK_RATE, FROM | TO | LIMIT | STEP, HB_LIMIT_DEFAULT_RATE},
    {{"words", 5}, HB_ROUTE_ANSWER, HB_ASK_WORDS, FROM | TO | LIMIT | KIND, HB_LIMIT_DEFAULT},
    {{"users", 5}, HB_ROUTE_ANSWER, HB_ASK_USERS, FROM | TO | LIMIT | BOTS, HB_LIMIT_DEFAULT},
    {{"viewers", 7}, HB_ROUTE_ANSWER, HB_ASK_VIEWERS, FROM | TO | LIMIT | STEP, HB_LIMIT_DEFAULT_RATE},
    {{"streams", 7}, HB_ROUTE_ANSWER, HB_ASK_STREAMS, FROM | TO | LIMIT, HB_LIMIT_DEFAULT},
    {{"engagement", 10}, HB_ROUTE_ANSWER, HB_ASK_ENGAGEMENT, FROM | TO | LIMIT, HB_LIMIT_DEFAULT_RATE},
    {{"moments", 7}, HB_ROUTE_ANSWER, HB_ASK_MOMENTS, FROM | TO | LIMIT, HB_LIMIT_DEFAULT},
    {{"messages", 8},
     HB_ROUTE_MESSAGES,
     HB_ASK_RATE,
     FROM | TO | LIMIT | USER | DELETED | TEXT | BEFORE | FORMAT,
     HB_LIMIT_DEFAULT},
};

static const view all_channels = {
    {"channels", 8}, HB_ROUTE_ANSWER, HB_ASK_CHANNELS, FROM | TO | LIMIT, HB_LIMIT_DEFAULT};
static const view all_moments = {{"moments", 7}, HB_ROUTE_ANSWER, HB_ASK_MOMENTS, FROM | TO | LIMIT, HB_LIMIT_DEFAULT};
static const view live = {{"live", 4}, HB_ROUTE_LIVE, HB_ASK_CHANNELS, CHANNEL, HB_LIMIT_DEFAULT};

/* Finds what the path behind "/api/v1/" asks for, and takes the channel out of it. NULL: nothing. */
static const view *find_view(hb_bytes path, hb_request *request, hb_error *error)
{
    const hb_bytes prefix = HB_BYTES("channels/");
    if (hb_bytes_equal(path, HB_BYTES("channels")))
        return &all_channels;
    if (hb_bytes_equal(path, HB_BYTES("moments")))
        return &all_moments;
    if (hb_bytes_equal(path, HB_BYTES("live")))
        return &live;
    if (hb_bytes_start_with(path, prefix)) {
        hb_bytes name = hb_bytes_from(path, prefix.size);
        hb_bytes encoded = {NULL, 0};
        hb_bytes login;
        char room[VALUE_MAX];
        hb_bytes_cut(&name, '/', &encoded);
        for (size_t i = 0; i < sizeof views / sizeof *views; i++)
            if (hb_bytes_equal(views[i].name, name)) {
                if (decode(encoded, false, room, sizeof room, &login) && hb_channel_name_read(login, request->channel))
                    return &views[i];
                hb_fail(error, HB_ERROR_USAGE, "'%.*s' is no channel's name: that is 1 to %d letters, digits and _",
                        HB_PRINT(encoded), HB_LOGIN_MAX);
                return NULL;
            }
    }
    hb_fail(error, HB_ERROR_MISSING, "nothing is at /api/v1/%.*s; /openapi.json lists what there is", HB_PRINT(path));
    return NULL;
}

bool hb_request_parse(hb_bytes path, hb_bytes query, int64_t now_s, hb_request *request, hb_error *error)
{
    const hb_bytes prefix = HB_BYTES("/api/v1/");
    unsigned seen = 0;
    *request = (hb_request){.route = HB_ROUTE_PAGE};
    if (hb_bytes_equal(path, HB_BYTES("/metrics")))
        request->route = HB_ROUTE_METRICS;
    else if (hb_bytes_equal(path, HB_BYTES("/healthz")))
        request->route = HB_ROUTE_HEALTH;
    if (!hb_bytes_start_with(path, HB_BYTES("/api/")))
        return true;
    if (!hb_bytes_start_with(path, prefix))
        return hb_fail(error, HB_ERROR_MISSING, "nothing is at %.*s; the API is at /api/v1/", HB_PRINT(path));

    const view *found = find_view(hb_bytes_from(path, prefix.size), request, error);
    if (found == NULL)
        return false;
    request->route = found->route;
    request->question =
        (hb_question){.kind = found->kind, .from_s = 0, .to_s = now_s, .limit = found->limit, .word_kind = HB_KINDS};
    if (!take_query(query, found->allowed, now_s, request, &seen, error))
        return false;
    if ((seen & FROM) == 0)
        request->question.from_s = request->question.to_s > HB_HOUR_S ? request->question.to_s - HB_HOUR_S : 0;
    if (request->question.from_s > request->question.to_s)
        return hb_fail(error, HB_ERROR_USAGE, "from is after to");
    if (request->format != HB_MESSAGES_JSON && (seen & (LIMIT | BEFORE)) != 0)
        return hb_fail(error, HB_ERROR_USAGE,
                       "limit and before are for format=json; the other formats give all of the range");
    return true;
}

void hb_request_print_cursor(hb_buffer *out, hb_message_cursor cursor)
{
    hb_buffer_print(out, "%" PRId64 "-%" PRIu64, cursor.time_ms, cursor.at);
}

hb_question hb_request_question(const hb_request *request)
{
    hb_question question = request->question;
    question.channel = hb_bytes_of(request->channel);
    return question;
}

/* ---- Host headers ---- */

/* The host without its port; an IPv6 address without brackets. */
static hb_bytes without_port(hb_bytes host)
{
    if (host.size > 0 && host.data[0] == '[') {
        const char *end = memchr(host.data, ']', host.size);
        return end == NULL ? (hb_bytes){NULL, 0} : (hb_bytes){host.data + 1, (size_t)(end - host.data) - 1};
    }
    const char *colon = host.size == 0 ? NULL : memchr(host.data, ':', host.size);
    return colon == NULL ? host : (hb_bytes){host.data, (size_t)(colon - host.data)};
}

static bool equal_in_any_case(hb_bytes a, hb_bytes b)
{
    return a.size == b.size && (a.size == 0 || strncasecmp(a.data, b.data, a.size) == 0);
}

static bool is_loopback_v4(hb_bytes host)
{
    hb_bytes part;
    unsigned parts = 0;
    while (hb_bytes_cut(&host, '.', &part)) {
        uint64_t number = 0;
        if (!hb_bytes_to_u64(part, &number) || number > 255 || (parts == 0 && number != 127))
            return false;
        parts++;
    }
    return parts == 4;
}

bool hb_host_is_loopback(hb_bytes host)
{
    const hb_bytes name = without_port(host);
    const hb_bytes below = HB_BYTES(".localhost");
    return equal_in_any_case(name, HB_BYTES("localhost")) || hb_bytes_equal(name, HB_BYTES("::1")) ||
           is_loopback_v4(name) ||
           (name.size > below.size && equal_in_any_case(hb_bytes_from(name, name.size - below.size), below));
}

bool hb_host_is(hb_bytes host, hb_bytes name)
{
    return equal_in_any_case(without_port(host), name);
}
