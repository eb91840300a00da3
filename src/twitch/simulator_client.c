/* simulator_client.c - Twitch's side of an IRC connection.
 *
 * Nothing a client sends makes memory grow without bound: its line is bounded, it can only join channels that exist,
 * each once, and one that asks without reading the answers is closed. */
#include "twitch/simulator_client.h"
#include "base/clock.h"
#include "base/say.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { LINE_MAX_BYTES = 8192 + 512, NICK_MAX = 25, AT_ONCE = 256 };

struct hb_client {
    const hb_client_shared *shared;
    struct bufferevent *stream;
    uint64_t number;
    bool with_tags;
    bool with_commands;
    bool with_membership;
    bool good_token; /* a PASS that is accepted came */
    bool bad_token;  /* one that is not */
    bool registered;
    bool gone;         /* the other side closed, or broke the rules: over as soon as can be */
    bool leaving;      /* over once it has read all, or at over_ms */
    bool ping_open;    /* it has not answered the last PING */
    int64_t over_ms;   /* 0: not known */
    int64_t ping_ms;   /* when to send the next PING */
    uint64_t messages; /* sent */
    uint64_t dropped;
    hb_buffer waiting; /* for the next flush */
    uint32_t *joined;  /* numbers of channels */
    size_t joined_count;
    size_t joined_capacity;
    char nick[NICK_MAX + 1];
};

static size_t unread(const hb_client *client)
{
    return client->waiting.size + evbuffer_get_length(bufferevent_get_output(client->stream));
}

static void end(hb_client *client)
{
    client->gone = true;
    client->shared->over(client->shared->context);
}

/* Lets it read what it was told, then ends it. */
static void leave(hb_client *client)
{
    client->leaving = true;
    client->over_ms = hb_monotonic_ms() + client->shared->leave_ms;
}

__attribute__((format(printf, 2, 3))) static void reply(hb_client *client, const char *format, ...)
{
    char text[LINE_MAX_BYTES + 512];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    if (unread(client) > client->shared->buffer_bytes) {
        end(client); /* it asks and asks and does not read the answers */
        return;
    }
    hb_buffer_append(&client->waiting, (hb_bytes){text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1});
    hb_buffer_append(&client->waiting, HB_BYTES("\r\n"));
}

/* ---- Capabilities and login ---- */

static bool *capability(hb_client *client, hb_bytes name)
{
    if (hb_bytes_equal(name, HB_BYTES("twitch.tv/tags")))
        return &client->with_tags;
    if (hb_bytes_equal(name, HB_BYTES("twitch.tv/commands")))
        return &client->with_commands;
    if (hb_bytes_equal(name, HB_BYTES("twitch.tv/membership")))
        return &client->with_membership;
    return NULL;
}

/* All that is asked for, or nothing (IRCv3, "Capability Negotiation"). */
static void request_capabilities(hb_client *client, hb_bytes names)
{
    hb_bytes rest = names;
    for (hb_bytes name; hb_bytes_cut(&rest, ' ', &name);)
        if (name.size > 0 && capability(client, name) == NULL) {
            reply(client, ":tmi.twitch.tv CAP * NAK :%.*s", HB_PRINT(names));
            return;
        }
    rest = names;
    for (hb_bytes name; hb_bytes_cut(&rest, ' ', &name);)
        if (name.size > 0)
            *capability(client, name) = true;
    reply(client, ":tmi.twitch.tv CAP * ACK :%.*s", HB_PRINT(names));
}

static void on_cap(hb_client *client, const hb_line *line)
{
    char word[4];
    if (line->param_count == 0 || line->params[0].size > sizeof word)
        return;
    const hb_bytes what = hb_bytes_lower(line->params[0], word);
    if (hb_bytes_equal(what, HB_BYTES("ls")))
        reply(client, ":tmi.twitch.tv CAP * LS :twitch.tv/commands twitch.tv/membership twitch.tv/tags");
    else if (hb_bytes_equal(what, HB_BYTES("req")) && line->param_count > 1)
        request_capabilities(client, line->params[1]);
}

static void on_pass(hb_client *client, const hb_line *line)
{
    const hb_bytes start = HB_BYTES("oauth:");
    const hb_bytes pass = line->param_count > 0 ? line->params[0] : (hb_bytes){"", 0};
    client->good_token = hb_bytes_start_with(pass, start) && pass.size > start.size &&
                         (client->shared->token == NULL ||
                          hb_bytes_equal(hb_bytes_from(pass, start.size), hb_bytes_of(client->shared->token)));
    client->bad_token = !client->good_token;
}

static bool is_login(hb_bytes nick)
{
    for (size_t i = 0; i < nick.size; i++) {
        const char c = nick.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return nick.size > 0;
}

static void on_nick(hb_client *client, const hb_line *line)
{
    if (client->registered || line->param_count == 0 || line->params[0].size > NICK_MAX)
        return;
    const hb_bytes nick = hb_bytes_lower(line->params[0], client->nick);
    client->nick[nick.size] = '\0';
    const bool anonymous = hb_bytes_start_with(nick, HB_BYTES("justinfan"));
    if (!is_login(nick) || (!anonymous && !client->good_token)) {
        reply(client, ":tmi.twitch.tv NOTICE * :%s",
              client->bad_token || !is_login(nick) ? "Login authentication failed" : "Improperly formatted auth");
        leave(client);
        return;
    }
    client->registered = true;
    reply(client, ":tmi.twitch.tv 001 %s :Welcome, GLHF!", client->nick);
    reply(client, ":tmi.twitch.tv 002 %s :Your host is tmi.twitch.tv", client->nick);
    reply(client, ":tmi.twitch.tv 003 %s :This server is rather new", client->nick);
    reply(client, ":tmi.twitch.tv 004 %s :-", client->nick);
    reply(client, ":tmi.twitch.tv 375 %s :-", client->nick);
    reply(client, ":tmi.twitch.tv 372 %s :You are in a maze of twisty passages, all alike.", client->nick);
    reply(client, ":tmi.twitch.tv 376 %s :>", client->nick);
}

/* ---- Channels ---- */

/* Where a channel is in the list of those joined; joined_count when it is not there. */
static size_t find_joined(const hb_client *client, size_t number)
{
    size_t at = 0;
    while (at < client->joined_count && client->joined[at] != number)
        at++;
    return at;
}

static void join_channel(hb_client *client, hb_bytes login)
{
    const hb_client_shared *shared = client->shared;
    size_t number = 0;
    if (hb_bytes_start_with(login, HB_BYTES("suspended_"))) {
        reply(client, "%s:tmi.twitch.tv NOTICE #%.*s :This channel does not exist or has been suspended.",
              client->with_tags ? "@msg-id=msg_channel_suspended " : "", HB_PRINT(login));
        return;
    }
    if (!shared->find_channel(shared->context, login, &number) || find_joined(client, number) < client->joined_count)
        return;
    HB_RESERVE(client->joined, client->joined_capacity, client->joined_count + 1);
    client->joined[client->joined_count++] = (uint32_t)number;
    const int size = (int)login.size;
    reply(client, ":%s!%s@%s.tmi.twitch.tv JOIN #%.*s", client->nick, client->nick, client->nick, size, login.data);
    reply(client, ":%s.tmi.twitch.tv 353 %s = #%.*s :%s", client->nick, client->nick, size, login.data, client->nick);
    reply(client, ":%s.tmi.twitch.tv 366 %s #%.*s :End of /NAMES list", client->nick, client->nick, size, login.data);
    if (client->with_commands && client->with_tags)
        reply(client,
              "@emote-only=0;followers-only=-1;r9k=0;room-id=%" PRIu64
              ";slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #%.*s",
              shared->chat->room_id(shared->chat->context, number), size, login.data);
    else if (client->with_commands)
        reply(client, ":tmi.twitch.tv ROOMSTATE #%.*s", size, login.data);
    shared->join(shared->context, client, number);
}

static void part_channel(hb_client *client, hb_bytes login)
{
    const hb_client_shared *shared = client->shared;
    size_t number = 0;
    if (!shared->find_channel(shared->context, login, &number))
        return;
    const size_t at = find_joined(client, number);
    if (at == client->joined_count)
        return;
    client->joined[at] = client->joined[--client->joined_count];
    shared->part(shared->context, client, number);
    reply(client, ":%s!%s@%s.tmi.twitch.tv PART #%.*s", client->nick, client->nick, client->nick, HB_PRINT(login));
}

static void each_channel(hb_client *client, const hb_line *line, void (*act)(hb_client *client, hb_bytes login))
{
    if (!client->registered || line->param_count == 0)
        return;
    hb_bytes rest = line->params[0];
    char login[HB_LOGIN_MAX];
    for (hb_bytes name; !client->gone && hb_bytes_cut(&rest, ',', &name);)
        if (name.size > 1 && name.size <= sizeof login && name.data[0] == '#' &&
            is_login(hb_bytes_lower(hb_bytes_from(name, 1), login)))
            act(client, (hb_bytes){login, name.size - 1});
}

/* ---- What clients say ---- */

static bool is_command(const hb_line *line, const char *name)
{
    return line->command.size == strlen(name) && strncasecmp(line->command.data, name, line->command.size) == 0;
}

static void hear(hb_client *client, hb_bytes text)
{
    hb_line line;
    if (text.size == 0 || client->leaving)
        return;
    if (!hb_line_parse(text, &line)) {
        client->shared->refused(client->shared->context);
        return;
    }
    if (is_command(&line, "PING"))
        reply(client, ":tmi.twitch.tv PONG tmi.twitch.tv%s%.*s", line.param_count > 0 ? " :" : "",
              HB_PRINT(line.param_count > 0 ? line.params[0] : HB_BYTES("")));
    else if (is_command(&line, "PONG"))
        client->ping_open = false;
    else if (is_command(&line, "CAP"))
        on_cap(client, &line);
    else if (is_command(&line, "PASS"))
        on_pass(client, &line);
    else if (is_command(&line, "NICK"))
        on_nick(client, &line);
    else if (is_command(&line, "JOIN"))
        each_channel(client, &line, join_channel);
    else if (is_command(&line, "PART"))
        each_channel(client, &line, part_channel);
    else if (is_command(&line, "QUIT"))
        end(client);
    else if (client->registered && !is_command(&line, "USER") && !is_command(&line, "PRIVMSG"))
        reply(client, ":tmi.twitch.tv 421 %s %.*s :Unknown command", client->nick, HB_PRINT(line.command));
}

/* Takes at most AT_ONCE lines, then lets others have their turn: bufferevent calls again only when more arrives, so the
 * rest is asked for by hand. */
static void on_read(struct bufferevent *stream, void *context)
{
    hb_client *client = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    char line[LINE_MAX_BYTES];
    for (int taken = 0; !client->gone; taken++) {
        const struct evbuffer_ptr found = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF);
        const size_t size = found.pos < 0 ? evbuffer_get_length(input) : (size_t)found.pos;
        if (size > sizeof line) {
            client->shared->refused(client->shared->context);
            end(client);
            return;
        }
        if (found.pos < 0)
            break;
        if (taken == AT_ONCE) {
            bufferevent_trigger(stream, EV_READ, BEV_OPT_DEFER_CALLBACKS);
            break;
        }
        evbuffer_remove(input, line, size);
        evbuffer_drain(input, 1);
        hear(client, (hb_bytes){line, size > 0 && line[size - 1] == '\r' ? size - 1 : size});
    }
    hb_client_flush(client);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        end(context);
}

/* ---- The door ---- */

hb_client *hb_client_open(const hb_client_shared *shared, struct bufferevent *stream, uint64_t number)
{
    hb_client *client = hb_alloc(sizeof *client);
    client->shared = shared;
    client->stream = stream;
    client->number = number;
    client->ping_ms = hb_monotonic_ms() + shared->ping_ms;
    bufferevent_setcb(stream, on_read, NULL, on_event, client);
    bufferevent_setwatermark(stream, EV_READ, 0, LINE_MAX_BYTES * 4);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
    if (shared->talks)
        hb_say_note("connection %" PRIu64 " is open", number);
    return client;
}

void hb_client_close(hb_client *client)
{
    for (size_t i = 0; i < client->joined_count; i++)
        client->shared->part(client->shared->context, client, client->joined[i]);
    bufferevent_free(client->stream);
    hb_buffer_free(&client->waiting);
    free(client->joined);
    free(client);
}

bool hb_client_send(hb_client *client, hb_bytes line, bool is_message)
{
    if (!is_message && !client->with_commands)
        return true;
    if (unread(client) + line.size > client->shared->buffer_bytes) {
        if (client->dropped == 0)
            hb_say_warning("connection %" PRIu64 " reads too slowly: messages to it are dropped", client->number);
        client->dropped += is_message;
        return false;
    }
    if (!client->with_tags && line.size > 0 && line.data[0] == '@') {
        const char *space = memchr(line.data, ' ', line.size);
        if (space != NULL)
            line = hb_bytes_from(line, (size_t)(space - line.data) + 1);
    }
    client->messages += is_message;
    hb_buffer_append(&client->waiting, line);
    hb_buffer_append(&client->waiting, HB_BYTES("\r\n"));
    return true;
}

void hb_client_flush(hb_client *client)
{
    if (client->waiting.size == 0)
        return;
    if (!client->gone && bufferevent_write(client->stream, client->waiting.data, client->waiting.size) != 0)
        end(client);
    client->waiting.size = 0;
}

void hb_client_reconnect(hb_client *client, int64_t until_ms)
{
    if (client->with_commands)
        reply(client, ":tmi.twitch.tv RECONNECT");
    hb_client_flush(client);
    if (client->over_ms == 0)
        client->over_ms = until_ms;
}

bool hb_client_is_over(hb_client *client, int64_t now_ms)
{
    if (client->gone || (client->over_ms != 0 && now_ms >= client->over_ms) || (client->leaving && unread(client) == 0))
        return true;
    if (now_ms < client->ping_ms)
        return false;
    if (client->ping_open || !client->registered)
        return true;
    client->ping_open = true;
    client->ping_ms = now_ms + client->shared->ping_ms;
    reply(client, "PING :tmi.twitch.tv");
    hb_client_flush(client);
    return client->gone;
}

void hb_client_report(const hb_client *client)
{
    hb_say_note("connection %" PRIu64 " (%s) is closed: %" PRIu64 " messages sent, %" PRIu64
                " dropped, %zu bytes not read by it",
                client->number, client->nick[0] == '\0' ? "no name" : client->nick, client->messages, client->dropped,
                unread(client));
}
