/* top.c - hubbub top: all channels live in a terminal, and any of them from nearer.
 *
 * ncurses paints what top_draw.c has drawn, and sends only what changed, which is what makes it bearable over a slow
 * line. The thread of top_source.c asks; this one waits for keys, news and signals, whichever comes first. */
#include "cmd/commands.h"
#include "cmd/server_options.h"
#include "cmd/top_draw.h"

#include "base/error.h"
#include "twitch/channel_name.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ESCAPE_MS = 100,     /* between the bytes of one key; more is the Escape key itself */
    PLAIN_COLUMNS = 132, /* without a terminal */
    EVERY_MAX_S = 3600
};

/* ---- Signals ---- */

static int signal_pipe[2] = {-1, -1};

static void on_signal(int number)
{
    const int before = errno;
    const char byte = (char)number;
    const ssize_t ignored = write(signal_pipe[1], &byte, 1);
    (void)ignored;
    errno = before;
}

static bool catch_signals(hb_error *error)
{
    const struct sigaction action = {.sa_handler = on_signal};
    return (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) == 0 && sigaction(SIGINT, &action, NULL) == 0 &&
            sigaction(SIGTERM, &action, NULL) == 0) ||
           hb_fail_errno(error, "cannot listen for signals");
}

/* ---- The terminal ---- */

static int attributes[HB_TOP_STYLES];

static void choose_attributes(void)
{
    enum { DRAWN = 1, ALERT };
    const bool colours = getenv("NO_COLOR") == NULL && has_colors() && start_color() == OK;
    attributes[HB_TOP_PLAIN] = A_NORMAL;
    attributes[HB_TOP_STRONG] = A_BOLD;
    attributes[HB_TOP_QUIET] = A_DIM;
    attributes[HB_TOP_HEAD] = A_BOLD | A_UNDERLINE;
    attributes[HB_TOP_CHOSEN] = A_REVERSE;
    attributes[HB_TOP_DRAWN] = A_NORMAL;
    attributes[HB_TOP_ALERT] = A_BOLD;
    if (!colours)
        return;
    const short ground = use_default_colors() == OK ? -1 : COLOR_BLACK;
    init_pair(DRAWN, COLOR_CYAN, ground);
    init_pair(ALERT, COLOR_YELLOW, ground);
    attributes[HB_TOP_DRAWN] = COLOR_PAIR(DRAWN);
    attributes[HB_TOP_ALERT] = A_BOLD | COLOR_PAIR(ALERT);
}

static SCREEN *open_terminal(hb_error *error)
{
    SCREEN *const terminal = newterm(NULL, stdout, stdin);
    if (terminal == NULL) {
        const char *const name = getenv("TERM");
        hb_fail(error, HB_ERROR_SYSTEM, "the terminal '%s' is not known here: set TERM to one that is, say xterm",
                name == NULL ? "" : name);
        return NULL;
    }
    set_term(terminal);
    set_escdelay(ESCAPE_MS);
    cbreak();
    noecho();
    keypad(stdscr, true);
    nodelay(stdscr, true);
    curs_set(0);
    choose_attributes();
    return terminal;
}

static void paint(const hb_top_screen *screen)
{
    erase();
    for (unsigned row = 0; row < screen->rows; row++)
        if (screen->row_styles[row] != HB_TOP_PLAIN)
            mvhline((int)row, 0, ' ' | (chtype)attributes[screen->row_styles[row]], (int)screen->columns);
    for (size_t i = 0; i < screen->piece_count; i++) {
        const hb_top_piece *const piece = &screen->pieces[i];
        attrset(attributes[piece->style]);
        mvaddnstr((int)piece->row, (int)piece->column, screen->text.data + piece->start, (int)piece->size);
    }
    attrset(A_NORMAL);
    refresh();
}

static uint32_t key_of(int kind, wint_t code)
{
    static const struct {
        wint_t code;
        uint32_t key;
    } keys[] = {{KEY_UP, HB_TOP_KEY_UP},          {KEY_DOWN, HB_TOP_KEY_DOWN},     {KEY_LEFT, HB_TOP_KEY_LEFT},
                {KEY_RIGHT, HB_TOP_KEY_RIGHT},    {KEY_PPAGE, HB_TOP_KEY_PAGE_UP}, {KEY_NPAGE, HB_TOP_KEY_PAGE_DOWN},
                {KEY_HOME, HB_TOP_KEY_HOME},      {KEY_END, HB_TOP_KEY_END},       {KEY_ENTER, HB_TOP_KEY_ENTER},
                {KEY_BACKSPACE, HB_TOP_KEY_ERASE}};
    if (kind == KEY_CODE_YES) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (keys[i].code == code)
                return keys[i].key;
        return 0;
    }
    switch (code) {
    case '\r':
    case '\n':
        return HB_TOP_KEY_ENTER;
    case 27:
        return HB_TOP_KEY_ESCAPE;
    case 8:
    case 127:
        return HB_TOP_KEY_ERASE;
    default:
        return (uint32_t)code;
    }
}

/* ---- Going on until told to stop ---- */

typedef struct top_session {
    hb_top_state state;
    hb_top_screen screen;
    hb_top_source *source;
    hb_top_news *news;
    hb_buffer error;
} top_session;

static void take_news(top_session *session)
{
    hb_top_news *const news = hb_top_source_take(session->source);
    if (news == NULL)
        return;
    session->error.size = 0;
    hb_buffer_append(&session->error, hb_buffer_bytes(&news->error));
    if (news->error.size > 0 && (news->now_s == 0 || session->news != NULL)) {
        hb_top_news_close(news); /* what is known stays, with the reason why it is old */
        return;
    }
    hb_top_news_close(session->news);
    session->news = news;
}

static void show(top_session *session)
{
    int rows = 0;
    int columns = 0;
    getmaxyx(stdscr, rows, columns);
    hb_top_screen_clear(&session->screen, rows > 0 ? (unsigned)rows : 0, columns > 0 ? (unsigned)columns : 0);
    hb_top_state_arrange(&session->state, session->news);
    hb_top_draw(&session->screen, &session->state, session->news, hb_buffer_bytes(&session->error));
    paint(&session->screen);
}

static void take_keys(top_session *session)
{
    wint_t code = 0;
    for (int kind = get_wch(&code); kind != ERR && !session->state.quit; kind = get_wch(&code)) {
        const uint32_t key = key_of(kind, code);
        if (key == 0)
            continue;
        hb_top_state_key(&session->state, key);
        hb_top_state_arrange(&session->state, session->news);
    }
    const hb_top_wish wish = hb_top_state_wish(&session->state);
    hb_top_source_wish(session->source, &wish);
}

static void go_on(top_session *session, int news)
{
    struct pollfd waited[] = {{STDIN_FILENO, POLLIN, 0}, {signal_pipe[0], POLLIN, 0}, {news, POLLIN, 0}};
    take_keys(session);
    while (!session->state.quit) {
        show(session);
        if (poll(waited, sizeof waited / sizeof *waited, -1) < 0 && errno != EINTR)
            return;
        if (waited[1].revents != 0 || (waited[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            return;
        take_news(session);
        take_keys(session);
    }
}

static int run_live(top_session *session, const hb_top_place *place)
{
    int descriptor = -1;
    hb_error error;
    if (!catch_signals(&error))
        return hb_exit_code(&error);
    session->source = hb_top_source_open(place, &descriptor, &error);
    if (session->source == NULL)
        return hb_exit_code(&error);
    SCREEN *const terminal = open_terminal(&error);
    if (terminal != NULL) {
        session->screen.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
        go_on(session, descriptor);
        endwin();
        delscreen(terminal);
    }
    hb_top_source_close(session->source);
    return terminal != NULL ? 0 : hb_exit_code(&error);
}

/* ---- Once ---- */

static int run_once(top_session *session, const hb_top_place *place)
{
    hb_error error;
    hb_buffer out = {0};
    const hb_top_wish wish = hb_top_state_wish(&session->state);
    session->news = hb_top_ask(place, &wish, &error);
    if (session->news == NULL)
        return hb_exit_code(&error);
    hb_top_state_arrange(&session->state, session->news);
    hb_top_draw_plain(&session->screen, &session->state, session->news, PLAIN_COLUMNS);
    hb_top_screen_print(&session->screen, &out);
    const bool good = (fwrite(out.data, 1, out.size, stdout) == out.size && fflush(stdout) == 0) || errno == EPIPE ||
                      hb_fail_errno(&error, "cannot write the answer");
    hb_buffer_free(&out);
    return good ? 0 : hb_exit_code(&error);
}

/* ---- The command ---- */

static bool take_options(const hb_options *options, hb_top_place *place, hb_top_state *state, hb_error *error)
{
    const char *const sort = hb_options_text(options, "sort");
    const uint64_t every_s = hb_options_number(options, "every");
    *place = (hb_top_place){.server = hb_options_text(options, "server"),
                            .store = hb_options_store(options),
                            .log = hb_options_log(options),
                            .every_ms = (int)every_s * 1000};
    hb_top_state_begin(state);
    if (every_s < 1 || every_s > EVERY_MAX_S)
        return hb_fail(error, HB_ERROR_USAGE, "--every must be from 1 to %d seconds", EVERY_MAX_S);
    if (!hb_top_column_parse(sort, &state->sort))
        return hb_fail(error, HB_ERROR_USAGE,
                       "--sort is '%s', but must be channel, messages, words, chatters, viewers, participation, emote "
                       "or last",
                       sort);
    state->ascending = state->sort == HB_TOP_CHANNEL || state->sort == HB_TOP_EMOTE;
    if (hb_options_argument_count(options) == 0)
        return true;
    const hb_bytes name = hb_bytes_of(hb_options_argument(options, 0));
    return hb_channel_name_read(name, state->channel) ||
           hb_fail(error, HB_ERROR_USAGE, "'%.*s' is no channel name: 1 to %d letters, digits and _", HB_PRINT(name),
                   HB_LOGIN_MAX);
}

static int top(const hb_options *options)
{
    top_session session = {0};
    hb_top_place place;
    hb_error error;
    if (!take_options(options, &place, &session.state, &error))
        return hb_exit_code(&error);
    hb_ignored *const ignored = hb_ignored_read(options, &error);
    if (ignored == NULL)
        return hb_exit_code(&error);
    place.ignored = ignored;
    setlocale(LC_CTYPE, "");
    const int code =
        isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? run_live(&session, &place) : run_once(&session, &place);
    hb_ignored_close(ignored);
    hb_top_news_close(session.news);
    hb_top_screen_free(&session.screen);
    hb_top_state_free(&session.state);
    hb_buffer_free(&session.error);
    return code;
}

static const hb_option options_of_top[] = {
    {"server", HB_OPTION_TEXT, "URL", NULL, "ask a running hubbub, say http://127.0.0.1:8080 (default: the store)"},
    HB_OPTIONS_PLACES,
    {"sort", HB_OPTION_TEXT, "COLUMN", "messages",
     "channel, messages, words, chatters, viewers, participation, emote or last"},
    HB_OPTION_IGNORE_USER,
    {"every", HB_OPTION_NUMBER, "SECONDS", "1", "how often to look"},
    {NULL}};

const hb_command hb_command_top = {"top",          "[CHANNEL]", "all channels live in a terminal; Enter looks into one",
                                   options_of_top, 1,           top};
