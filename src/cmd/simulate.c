/* simulate.c - hubbub simulate: a Twitch of its own on loopback, or the same chat as a file.
 *
 * Signals reach the simulator through an event file descriptor (hb_simulator_reconnect, hb_simulator_drop), which is
 * all that the two handlers here touch. */
#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "cmd/commands.h"
#include "cmd/replay.h"
#include "cmd/signals.h"
#include "twitch/chat_maker.h"
#include "twitch/emote_board.h"
#include "twitch/simulator.h"
#include "twitch/simulator_emotes.h"
#include "twitch/simulator_helix.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { WRITE_BYTES = 1 << 20 };

static const hb_option simulate_options[] = {
    {"listen", HB_OPTION_ADDRESS, "HOST:PORT", "127.0.0.1:6667", "where to be a Twitch; port 0: any free one"},
    {"helix-listen", HB_OPTION_ADDRESS, "HOST:PORT", NULL,
     "where to answer for viewers as Twitch's API does (--helix)"},
    {"helix-speed", HB_OPTION_REAL, "X", "1", "viewers, games and titles change so many times as fast"},
    {"channels", HB_OPTION_NUMBER, "N", "20", "how many channels there are"},
    {"rate", HB_OPTION_REAL, "N", "100", "messages a second over all channels"},
    {"bursts", HB_OPTION_NUMBER, "N", "0",
     "every N minutes, a channel in turn has a minute in which many say the same; 0: never"},
    {"seed", HB_OPTION_NUMBER, "N", "1", "the same seed gives the same channels and chat"},
    {"count", HB_OPTION_NUMBER, "N", NULL, "so many messages, then stay connected, idle"},
    {"wait-joins", HB_OPTION_NUMBER, "N", "1", "begin once so many channels are joined"},
    {"token", HB_OPTION_TEXT, "TOKEN", NULL, "the only OAuth token that is accepted"},
    {"tls", HB_OPTION_TEXT, "CERT [KEY]", NULL, "speak TLS with this certificate and key (PEM)"},
    {"buffer", HB_OPTION_SIZE, "SIZE", "64M", "what may wait for a slow reader before messages are dropped"},
    {"replay", HB_OPTION_TEXT, "FILE", NULL, "recorded chat instead: raw IRC lines, plain, zstd or gzip"},
    {"speed", HB_OPTION_REAL, "X", "1", "with --replay: so many times as fast as it was"},
    {"loop", HB_OPTION_FLAG, "", NULL, "with --replay: begin again at the end"},
    {"print-channels", HB_OPTION_FLAG, "", NULL, "print the channels' names, and exit"},
    {"write", HB_OPTION_TEXT, "FILE", NULL, "write the chat as raw IRC lines instead ('-': standard output)"},
    {"start", HB_OPTION_TIME, "T", "2025-11-24T16:00Z", "with --write: when chat begins"},
    {"end", HB_OPTION_TIME, "T", NULL, "with --write: when chat ends, if not with --count"},
    {"viewers", HB_OPTION_FLAG, "", NULL, "with --write: viewer samples, too"},
    {"emotes", HB_OPTION_FLAG, "", NULL, "with --write: facts of channels' emotes, too"},
    {NULL, HB_OPTION_FLAG, NULL, NULL, NULL},
};

/* ---- Writing ---- */

static bool write_out(FILE *file, const char *path, hb_buffer *lines, hb_error *error)
{
    if (lines->size > 0 && fwrite(lines->data, 1, lines->size, file) != lines->size)
        return hb_fail_errno(error, "%s could not be written", path);
    lines->size = 0;
    return true;
}

/* Appends what an ingestor would put before the line. */
static void add_emotes(hb_emote_board *board, hb_chat_source chat, uint64_t seed, const hb_chat_line *made,
                       hb_bytes line, hb_buffer *lines)
{
    hb_fact fact;
    if (hb_fact_read(line, &fact) != HB_FACT_OK || !hb_emote_board_see(board, &fact, lines))
        return;
    hb_buffer names = {0};
    hb_simulator_emotes_names(&chat, seed, 0, made->channel, &names);
    hb_emote_board_set(board, hb_emote_board_count(board) - 1, hb_buffer_bytes(&names));
    hb_buffer_free(&names);
}

/* Until so many messages are written, or chat reaches its end. */
static bool write_lines(const hb_options *options, hb_chat_source chat, FILE *file, const char *path, hb_error *error)
{
    const uint64_t count = hb_options_given(options, "count") ? hb_options_number(options, "count") : UINT64_MAX;
    const int64_t start_ms = hb_options_time(options, "start") * 1000;
    const int64_t end_ms = hb_options_given(options, "end") ? hb_options_time(options, "end") * 1000 : INT64_MAX;
    const uint64_t seed = hb_options_number(options, "seed");
    hb_emote_board *board = hb_options_flag(options, "emotes") ? hb_emote_board_open() : NULL;
    hb_buffer lines = {0};
    hb_buffer one = {0};
    bool good = true;
    for (uint64_t messages = 0; good && messages < count;) {
        const int64_t time_ms = start_ms + chat.due_us(chat.context) / 1000;
        hb_chat_line line;
        if (time_ms >= end_ms)
            break;
        one.size = 0;
        chat.next(chat.context, time_ms, &one, &line);
        if (board != NULL)
            add_emotes(board, chat, seed, &line, hb_buffer_bytes(&one), &lines);
        hb_buffer_append(&lines, hb_buffer_bytes(&one));
        hb_buffer_append_char(&lines, '\n');
        messages += line.is_message;
        if (lines.size >= WRITE_BYTES)
            good = write_out(file, path, &lines, error);
    }
    good = good && write_out(file, path, &lines, error);
    hb_buffer_free(&lines);
    hb_buffer_free(&one);
    hb_emote_board_close(board);
    return good;
}

static int write_chat(const hb_options *options, hb_chat_source chat)
{
    const char *path = hb_options_text(options, "write");
    hb_error error = {0};
    if (!hb_options_given(options, "count") && !hb_options_given(options, "end")) {
        hb_fail(&error, HB_ERROR_USAGE, "--write needs an end: --count or --end");
        return hb_exit_code(&error);
    }
    const bool to_stdout = strcmp(path, "-") == 0;
    FILE *file = to_stdout ? stdout : fopen(path, "w");
    if (file == NULL) {
        hb_fail_errno(&error, "%s could not be opened", path);
        return hb_exit_code(&error);
    }
    bool good = write_lines(options, chat, file, path, &error);
    if ((to_stdout ? fflush(file) : fclose(file)) != 0 && good)
        good = hb_fail_errno(&error, "%s could not be written", path);
    return good ? 0 : hb_exit_code(&error);
}

/* ---- Serving ---- */

static hb_simulator *signalled;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        hb_simulator_reconnect(signalled);
    else
        hb_simulator_drop(signalled);
}

/* Blocked around the simulator's opening and closing, so that a handler never meets one that is half there. */
static void take_signals(hb_simulator *simulator)
{
    const struct sigaction action = {.sa_handler = simulator == NULL ? SIG_IGN : on_signal, .sa_flags = SA_RESTART};
    if (simulator != NULL)
        signalled = simulator;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
}

/* True, with *helix NULL, when it is not asked for. */
static bool open_helix(const hb_options *options, hb_chat_source chat, hb_simulator_helix **helix, hb_error *error)
{
    hb_simulator_helix_options how = {
        .chat = chat, .seed = hb_options_number(options, "seed"), .speed = hb_options_real(options, "helix-speed")};
    *helix = NULL;
    if (!hb_options_address(options, "helix-listen", &how.host, &how.port))
        return true;
    if (!(how.speed >= 0.001 && how.speed <= 1e6))
        return hb_fail(error, HB_ERROR_USAGE, "--helix-speed is %g, but must be 0.001 to 1,000,000", how.speed);
    *helix = hb_simulator_helix_open(&how, error);
    if (*helix != NULL)
        hb_say_note("its API answers for viewers at http://%s:%u", *how.host == '\0' ? "127.0.0.1" : how.host,
                    hb_simulator_helix_port(*helix));
    return *helix != NULL;
}

static int serve(const hb_options *options, hb_chat_source chat)
{
    hb_error error = {0};
    hb_simulator_helix *helix = NULL;
    hb_simulator_options how = {
        .chat = chat,
        .count = hb_options_number(options, "count"),
        .wait_joins = hb_options_number(options, "wait-joins"),
        .token = hb_options_text(options, "token"),
        .tls_cert = hb_options_text(options, "tls"),
        .tls_key = hb_options_argument_count(options) > 0 ? hb_options_argument(options, 0) : NULL,
        .buffer_bytes = hb_options_number(options, "buffer"),
        .talks = true,
    };
    hb_options_address(options, "listen", &how.host, &how.port);
    hb_signals_block();
    take_signals(NULL);
    hb_simulator *simulator = hb_simulator_open(&how, &error);
    if (simulator == NULL || !open_helix(options, chat, &helix, &error)) {
        hb_simulator_close(simulator);
        return hb_exit_code(&error);
    }
    take_signals(simulator);
    hb_say_note("a simulated Twitch with %zu channels listens on %s:%u", chat.channel_count, how.host,
                hb_simulator_port(simulator));
    while (hb_signals_wait(-1) == SIGHUP)
        continue;
    take_signals(NULL);
    const hb_simulator_counts counts = hb_simulator_count(simulator);
    hb_simulator_helix_close(helix);
    hb_simulator_close(simulator);
    hb_say_note("%" PRIu64 " messages made, %" PRIu64 " sent, %" PRIu64 " in channels that nobody had joined, %" PRIu64
                " dropped because a connection read too slowly; %" PRIu64 " ms behind the rate",
                counts.messages, counts.sent, counts.unheard, counts.dropped, counts.late_ms);
    return 0;
}

static int print_channels(hb_chat_source chat)
{
    hb_error error = {0};
    for (size_t i = 0; i < chat.channel_count; i++)
        printf("%.*s\n", HB_PRINT(chat.channel(chat.context, i)));
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    hb_fail_errno(&error, "standard output could not be written");
    return hb_exit_code(&error);
}

static int replay_chat(const hb_options *options)
{
    hb_error error = {0};
    if (hb_options_text(options, "write") != NULL) {
        hb_fail(&error, HB_ERROR_USAGE, "--write writes generated chat: it does not go with --replay");
        return hb_exit_code(&error);
    }
    hb_replay *replay = hb_replay_open(hb_options_text(options, "replay"), hb_options_real(options, "speed"),
                                       hb_options_flag(options, "loop"), &error);
    if (replay == NULL)
        return hb_exit_code(&error);
    const hb_chat_source chat = hb_replay_source(replay);
    const int code = hb_options_flag(options, "print-channels") ? print_channels(chat) : serve(options, chat);
    hb_replay_close(replay);
    return code;
}

static int generate(const hb_options *options)
{
    hb_error error = {0};
    const bool to_file = hb_options_text(options, "write") != NULL;
    const uint64_t bursts = hb_options_number(options, "bursts");
    const hb_chat_options chat_options = {
        .seed = hb_options_number(options, "seed"),
        .channels = hb_options_number(options, "channels"),
        .rate = hb_options_real(options, "rate"),
        .bursts = bursts > UINT32_MAX / 60 ? UINT32_MAX / 60 : (uint32_t)bursts,
        .archive = to_file,
        .viewers = to_file && hb_options_flag(options, "viewers"),
    };
    hb_chat_maker *maker = hb_chat_maker_open(&chat_options, &error);
    if (maker == NULL)
        return hb_exit_code(&error);
    const hb_chat_source chat = hb_chat_maker_source(maker);
    const int code = hb_options_flag(options, "print-channels") ? print_channels(chat)
                     : to_file                                  ? write_chat(options, chat)
                                                                : serve(options, chat);
    hb_chat_maker_close(maker);
    return code;
}

static int run(const hb_options *options)
{
    hb_error error = {0};
    if (hb_options_argument_count(options) > 0 && hb_options_text(options, "tls") == NULL) {
        hb_fail(&error, HB_ERROR_USAGE, "'%s' is no option, and there is no --tls of which it could be the key",
                hb_options_argument(options, 0));
        return hb_exit_code(&error);
    }
    return hb_options_text(options, "replay") != NULL ? replay_chat(options) : generate(options);
}

const hb_command hb_command_simulate = {
    "simulate", "[KEY]", "a Twitch of its own on loopback, with generated or replayed chat", simulate_options, 1, run,
};
