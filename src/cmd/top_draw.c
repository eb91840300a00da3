/* top_draw.c - a narrow screen has fewer columns: each says how much it matters, and what does not fit is left out. */
#include "cmd/top_draw.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    GAP = 2,
    CHANNEL_LEAST = 12,
    CHANNEL_MOST = 26,
    HEAD_ROWS = 2,     /* above the table */
    CHART_MOST = 10,   /* rows */
    CHART_LABEL = 9,   /* columns left of it */
    RANK_COUNT = 10,   /* columns of a number */
    SIDE_BY_SIDE = 56, /* from so many columns on, two rankings stand beside each other */
    PLAIN_RANKED = 20  /* rows of rankings without a terminal */
};

/* ---- Numbers and times ---- */

/* 1,234,567 */
static void append_count(hb_buffer *out, double number)
{
    char digits[32];
    const int size = snprintf(digits, sizeof digits, "%.0f", number < 1e15 ? number : 1e15);
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            hb_buffer_append_char(out, ',');
        hb_buffer_append_char(out, digits[i]);
    }
}

static void append_known(hb_buffer *out, double number)
{
    if (number >= 0)
        append_count(out, number);
}

/* now, 12 s, 5 min, 3 h, 2 d */
static void append_ago(hb_buffer *out, int64_t time_s, int64_t now_s)
{
    const int64_t ago_s = now_s - time_s;
    if (time_s <= 0)
        return;
    if (ago_s < 5)
        hb_buffer_append(out, HB_BYTES("now"));
    else if (ago_s < HB_MINUTE_S)
        hb_buffer_print(out, "%" PRId64 " s", ago_s);
    else if (ago_s < HB_HOUR_S)
        hb_buffer_print(out, "%" PRId64 " min", ago_s / HB_MINUTE_S);
    else if (ago_s < 2 * HB_DAY_S)
        hb_buffer_print(out, "%" PRId64 " h", ago_s / HB_HOUR_S);
    else
        hb_buffer_print(out, "%" PRId64 " d", ago_s / HB_DAY_S);
}

/* ---- The table of channels ---- */

typedef enum part { /* of a row, from left to right */
                    PART_CHANNEL,
                    PART_MESSAGES,
                    PART_SPARK,
                    PART_MOMENT,
                    PART_WORDS,
                    PART_CHATTERS,
                    PART_VIEWERS,
                    PART_PARTICIPATION,
                    PART_EMOTE,
                    PART_LAST,
                    PARTS
} part;

static const struct {
    const char *label;
    unsigned width;
    bool right;
    unsigned turn; /* in which parts are given room */
    hb_top_column column;
} parts[PARTS] = {
    [PART_CHANNEL] = {"CHANNEL", CHANNEL_LEAST, false, 0, HB_TOP_CHANNEL},
    [PART_MESSAGES] = {"MSG/MIN", 8, true, 1, HB_TOP_MESSAGES},
    [PART_SPARK] = {"30 MINUTES", HB_TOP_SPARK, false, 6, HB_TOP_COLUMNS},
    [PART_MOMENT] = {"MOMENT", 8, false, 3, HB_TOP_COLUMNS},
    [PART_WORDS] = {"WORDS/MIN", 9, true, 8, HB_TOP_WORDS},
    [PART_CHATTERS] = {"CHATTERS", 8, true, 5, HB_TOP_CHATTERS},
    [PART_VIEWERS] = {"VIEWERS", 9, true, 2, HB_TOP_VIEWERS},
    [PART_PARTICIPATION] = {"TAKE PART", 9, true, 7, HB_TOP_PARTICIPATION},
    [PART_EMOTE] = {"TOP EMOTE", 16, false, 4, HB_TOP_EMOTE},
    [PART_LAST] = {"LAST", 7, true, 9, HB_TOP_LAST},
};

typedef struct row_layout {
    unsigned columns[PARTS]; /* where they begin */
    unsigned widths[PARTS];  /* 0: left out */
} row_layout;

/* Whether any channel has something to show there. */
static bool is_known(const hb_top_news *news, part which)
{
    for (size_t i = 0; news != NULL && i < news->channel_count; i++) {
        const hb_top_channel *const channel = &news->channels[i];
        if ((which == PART_SPARK && channel->has_spark) || (which == PART_MOMENT && channel->moment_s > 0) ||
            (which == PART_VIEWERS && channel->viewers >= 0) ||
            (which == PART_PARTICIPATION && channel->participation >= 0))
            return true;
    }
    return which != PART_SPARK && which != PART_MOMENT && which != PART_VIEWERS && which != PART_PARTICIPATION;
}

static row_layout lay_out(const hb_top_news *news, unsigned columns)
{
    row_layout out = {0};
    unsigned used = 0;
    for (unsigned turn = 0; turn < PARTS; turn++)
        for (part i = 0; i < PARTS; i++) {
            const unsigned more = parts[i].width + (used > 0 ? GAP : 0);
            if (parts[i].turn != turn || !is_known(news, i) || (used + more > columns && turn > 0))
                continue;
            out.widths[i] = parts[i].width;
            used += more;
        }
    const unsigned spare = columns > used ? columns - used : 0;
    out.widths[PART_CHANNEL] += spare < CHANNEL_MOST - CHANNEL_LEAST ? spare : CHANNEL_MOST - CHANNEL_LEAST;
    for (part i = 0, at = 0; i < PARTS; i++) {
        out.columns[i] = at;
        at += out.widths[i] > 0 ? out.widths[i] + GAP : 0;
    }
    return out;
}

static void draw_head(hb_top_screen *screen, const hb_top_state *state, const row_layout *layout, unsigned row)
{
    hb_buffer label = {0};
    hb_top_row_style(screen, row, HB_TOP_HEAD);
    for (part i = 0; i < PARTS; i++) {
        const bool sorted = parts[i].column == state->sort;
        if (layout->widths[i] == 0)
            continue;
        label.size = 0;
        hb_buffer_print(&label, "%s%s", parts[i].label, !sorted ? "" : state->ascending ? "^" : "v");
        (parts[i].right ? hb_top_put_right : hb_top_put)(screen, row, layout->columns[i] - (sorted && parts[i].right),
                                                         layout->widths[i] + sorted, HB_TOP_HEAD,
                                                         hb_buffer_bytes(&label));
    }
    hb_buffer_free(&label);
}

static void append_part(hb_buffer *text, const hb_top_channel *channel, part which, int64_t now_s)
{
    switch (which) {
    case PART_CHANNEL:
        hb_buffer_append(text, channel->name);
        break;
    case PART_MESSAGES:
        append_count(text, channel->messages);
        break;
    case PART_WORDS:
        append_count(text, channel->words);
        break;
    case PART_CHATTERS:
        append_count(text, channel->chatters);
        break;
    case PART_VIEWERS:
        append_known(text, channel->viewers);
        break;
    case PART_PARTICIPATION:
        if (channel->participation >= 0)
            hb_buffer_print(text, "%.1f %%", channel->participation * 100);
        break;
    case PART_MOMENT:
        if (channel->moment_s > 0)
            hb_buffer_append(text, HB_BYTES("* "));
        append_ago(text, channel->moment_s, now_s);
        break;
    case PART_EMOTE:
        hb_buffer_append(text, channel->emote);
        break;
    case PART_LAST:
        append_ago(text, channel->last_seen_s, now_s);
        break;
    case PART_SPARK:
    case PARTS:
        break;
    }
}

static double greatest(const double *values, unsigned count)
{
    double most = 0;
    for (unsigned i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

static void draw_channel_row(hb_top_screen *screen, const row_layout *layout, const hb_top_channel *channel,
                             unsigned row, bool chosen, int64_t now_s)
{
    static const hb_top_style styles[PARTS] = {[PART_CHANNEL] = HB_TOP_STRONG,
                                               [PART_SPARK] = HB_TOP_DRAWN,
                                               [PART_MOMENT] = HB_TOP_ALERT,
                                               [PART_EMOTE] = HB_TOP_QUIET,
                                               [PART_LAST] = HB_TOP_QUIET};
    hb_buffer text = {0};
    if (chosen)
        hb_top_row_style(screen, row, HB_TOP_CHOSEN);
    for (part i = 0; i < PARTS; i++) {
        const hb_top_style style = chosen ? HB_TOP_CHOSEN : styles[i];
        if (layout->widths[i] == 0)
            continue;
        if (i == PART_SPARK) {
            if (channel->has_spark)
                hb_top_put_bars(screen, row, layout->columns[i], 1, style, channel->spark, HB_TOP_SPARK,
                                greatest(channel->spark, HB_TOP_SPARK));
            continue;
        }
        text.size = 0;
        append_part(&text, channel, i, now_s);
        (parts[i].right ? hb_top_put_right : hb_top_put)(screen, row, layout->columns[i], layout->widths[i], style,
                                                         hb_buffer_bytes(&text));
    }
    hb_buffer_free(&text);
}

/* Keeps the chosen row in sight. */
static void scroll_to(hb_top_state *state, size_t chosen)
{
    if (chosen < state->first)
        state->first = chosen;
    if (state->page > 0 && chosen >= state->first + state->page)
        state->first = chosen - state->page + 1;
    if (state->first + state->page > state->row_count)
        state->first = state->row_count > state->page ? state->row_count - state->page : 0;
}

static void draw_table(hb_top_screen *screen, hb_top_state *state, const hb_top_news *news, unsigned row, unsigned rows,
                       bool choosing)
{
    const row_layout layout = lay_out(news, screen->columns);
    const size_t chosen = hb_top_state_chosen(state);
    draw_head(screen, state, &layout, row);
    state->page = rows > 0 ? rows - 1 : 0;
    if (choosing)
        scroll_to(state, chosen);
    for (unsigned i = 0; i < state->page && state->first + i < state->row_count; i++)
        draw_channel_row(screen, &layout, state->rows[state->first + i].channel, row + 1 + i,
                         choosing && state->first + i == chosen, news->now_s);
}

static void append_totals(hb_buffer *text, const hb_top_state *state, const hb_top_news *news)
{
    double messages = 0;
    double words = 0;
    for (size_t i = 0; i < news->channel_count; i++) {
        messages += news->channels[i].messages;
        words += news->channels[i].words;
    }
    if (state->filter[0] != '\0')
        hb_buffer_print(text, "%zu of ", state->row_count);
    hb_buffer_print(text, "%zu channels   ", news->channel_count);
    append_count(text, messages);
    hb_buffer_append(text, HB_BYTES(" messages/min   "));
    append_count(text, words);
    hb_buffer_append(text, HB_BYTES(" words/min"));
}

static void draw_overview(hb_top_screen *screen, hb_top_state *state, const hb_top_news *news)
{
    hb_buffer text = {0};
    if (news != NULL)
        append_totals(&text, state, news);
    hb_top_put(screen, 0, 8, screen->columns, HB_TOP_PLAIN, hb_buffer_bytes(&text));
    if (state->typing || state->filter[0] != '\0') {
        text.size = 0;
        hb_buffer_print(&text, "filter: %s%s", state->filter, state->typing ? "_" : "");
        hb_top_put(screen, 1, 0, screen->columns, state->typing ? HB_TOP_STRONG : HB_TOP_QUIET, hb_buffer_bytes(&text));
    }
    hb_buffer_free(&text);
    if (screen->rows > HEAD_ROWS + 1)
        draw_table(screen, state, news, HEAD_ROWS, screen->rows - HEAD_ROWS - 1, true);
    if (news != NULL && news->channel_count == 0)
        hb_top_put(screen, HEAD_ROWS + 1, 0, screen->columns, HB_TOP_QUIET,
                   HB_BYTES("No channels yet: one appears as soon as something is said in it."));
}

/* ---- One channel ---- */

static const hb_top_channel *find_channel(const hb_top_news *news, const char *name)
{
    for (size_t i = 0; news != NULL && i < news->channel_count; i++)
        if (hb_bytes_equal(news->channels[i].name, hb_bytes_of(name)))
            return &news->channels[i];
    return NULL;
}

static void draw_figures(hb_top_screen *screen, const hb_top_news *news, const hb_top_channel *channel)
{
    hb_buffer text = {0};
    if (channel != NULL) {
        append_count(&text, channel->messages);
        hb_buffer_append(&text, HB_BYTES(" messages/min   "));
        append_count(&text, channel->words);
        hb_buffer_append(&text, HB_BYTES(" words/min   "));
        append_count(&text, channel->chatters);
        hb_buffer_append(&text, HB_BYTES(" chatters"));
        if (news->viewers >= 0) {
            hb_buffer_append(&text, HB_BYTES("   "));
            append_count(&text, news->viewers);
            hb_buffer_append(&text, HB_BYTES(" viewers"));
        }
        if (channel->participation >= 0)
            hb_buffer_print(&text, "   %.1f %% take part", channel->participation * 100);
        hb_top_put(screen, 1, 0, screen->columns, HB_TOP_PLAIN, hb_buffer_bytes(&text));
    }
    text.size = 0;
    hb_buffer_append(&text, news->game);
    if (news->game.size > 0 && news->title.size > 0)
        hb_buffer_append(&text, HB_BYTES(" - "));
    hb_buffer_append(&text, news->title);
    hb_top_put(screen, 2, 0, screen->columns, HB_TOP_QUIET, hb_buffer_bytes(&text));
    hb_buffer_free(&text);
}

static void draw_moments(hb_top_screen *screen, const hb_top_news *news, unsigned row)
{
    hb_buffer text = {0};
    for (unsigned i = news->moment_count; i > 0; i--) {
        const hb_top_moment *const moment = &news->moments[i - 1];
        hb_buffer_append(&text, text.size == 0 ? HB_BYTES("Moments: ") : HB_BYTES("   "));
        append_ago(&text, moment->time_s, news->now_s);
        hb_buffer_print(&text, " ago x%.1f %.*s", moment->messages / (moment->usual < 1 ? 1 : moment->usual),
                        HB_PRINT(moment->word));
    }
    hb_top_put(screen, row, 0, screen->columns, HB_TOP_ALERT, hb_buffer_bytes(&text));
    hb_buffer_free(&text);
}

/* Messages a minute, spread over `count` columns of time: each shows the mean of its minutes. */
static void spread(const hb_top_news *news, double *values, unsigned count)
{
    const int64_t span_s = news->to_s - news->from_s;
    memset(values, 0, count * sizeof *values);
    for (size_t i = 0; span_s > 0 && i < news->minute_count; i++) {
        const int64_t since_s = news->minutes[i].time_s - news->from_s;
        if (since_s >= 0 && since_s < span_s)
            values[(uint64_t)since_s * count / (uint64_t)span_s] += news->minutes[i].messages;
    }
    const double minutes = (double)span_s / HB_MINUTE_S / count;
    for (unsigned i = 0; minutes > 1 && i < count; i++)
        values[i] /= minutes;
}

static void draw_chart(hb_top_screen *screen, const hb_top_state *state, const hb_top_news *news, unsigned row,
                       unsigned height)
{
    const unsigned room = screen->columns > CHART_LABEL + GAP ? screen->columns - CHART_LABEL - GAP : 0;
    const int64_t minutes = (news->to_s - news->from_s) / HB_MINUTE_S;
    const unsigned count = minutes > 0 && minutes < room ? (unsigned)minutes : room;
    hb_buffer text = {0};
    if (count == 0 || height < 2)
        return;
    double *const values = hb_alloc(count * sizeof *values);
    spread(news, values, count);
    const double most = greatest(values, count);
    hb_buffer_print(&text, "Messages a minute in the last %s", hb_top_state_range(state).label);
    hb_top_put(screen, row, 0, screen->columns, HB_TOP_STRONG, hb_buffer_bytes(&text));
    text.size = 0;
    append_count(&text, most);
    hb_top_put_right(screen, row + 1, 0, CHART_LABEL, HB_TOP_QUIET, hb_buffer_bytes(&text));
    if (height > 2)
        hb_top_put_right(screen, row + height - 1, 0, CHART_LABEL, HB_TOP_QUIET, HB_BYTES("0"));
    hb_top_put_bars(screen, row + height - 1, CHART_LABEL + GAP, height - 1, HB_TOP_DRAWN, values, count, most);
    free(values);
    hb_buffer_free(&text);
}

static void draw_ranking(hb_top_screen *screen, const hb_top_ranking *ranking, const char *title, unsigned skipped,
                         unsigned row, unsigned rows, unsigned column, unsigned width)
{
    hb_buffer text = {0};
    hb_top_put(screen, row, column, width, HB_TOP_STRONG, hb_bytes_of(title));
    for (unsigned i = 0; i + 1 < rows && skipped + i < ranking->count && width > RANK_COUNT + GAP; i++) {
        const hb_top_rank *const rank = &ranking->rows[skipped + i];
        const unsigned kind = rank->kind.size > 0 && width > 40 ? 8 : 0; /* columns of its name */
        const unsigned room = width - RANK_COUNT - GAP - (kind > 0 ? kind + GAP : 0);
        hb_top_put(screen, row + 1 + i, column, room, HB_TOP_PLAIN, rank->name);
        hb_top_put(screen, row + 1 + i, column + room + GAP, kind, HB_TOP_QUIET, rank->kind);
        text.size = 0;
        append_count(&text, rank->count);
        hb_top_put_right(screen, row + 1 + i, column + width - RANK_COUNT, RANK_COUNT, HB_TOP_PLAIN,
                         hb_buffer_bytes(&text));
    }
    if (ranking->count == 0)
        hb_top_put(screen, row + 1, column, width, HB_TOP_QUIET, HB_BYTES("none"));
    hb_buffer_free(&text);
}

static void draw_rankings(hb_top_screen *screen, hb_top_state *state, const hb_top_news *news, unsigned row,
                          unsigned rows)
{
    const bool beside = screen->columns >= SIDE_BY_SIDE;
    const unsigned width = beside ? (screen->columns - 2 * GAP) / 2 : screen->columns;
    const unsigned each = beside ? rows : rows / 2;
    const size_t longest = news->words.count > news->users.count ? news->words.count : news->users.count;
    const char *const kind = hb_top_state_kind(state);
    hb_buffer title = {0};
    state->page = each > 0 ? each - 1 : 0;
    if (state->scrolled + state->page > longest)
        state->scrolled = longest > state->page ? (unsigned)longest - state->page : 0;
    hb_buffer_print(&title, "Words%s%s", state->kind == 0 ? "" : ": ", state->kind == 0 ? "" : kind);
    hb_buffer_append_char(&title, '\0');
    draw_ranking(screen, &news->words, title.data, state->scrolled, row, each, 0, width);
    draw_ranking(screen, &news->users, "Users", state->scrolled, beside ? row : row + each, each,
                 beside ? width + 2 * GAP : 0, width);
    hb_buffer_free(&title);
}

static void draw_channel(hb_top_screen *screen, hb_top_state *state, const hb_top_news *news, unsigned rows)
{
    const bool answered = news != NULL && hb_bytes_equal(news->channel, hb_bytes_of(state->channel));
    unsigned height = rows / 3;
    height = height > CHART_MOST ? CHART_MOST : height;
    hb_top_put(screen, 0, 0, screen->columns, HB_TOP_STRONG, hb_bytes_of(state->channel));
    if (!answered)
        return;
    draw_figures(screen, news, find_channel(news, state->channel));
    draw_moments(screen, news, 3);
    draw_chart(screen, state, news, 4, height);
    if (rows > 5 + height)
        draw_rankings(screen, state, news, 5 + height, rows - 5 - height);
}

/* ---- All of it ---- */

static void draw_help(hb_top_screen *screen)
{
    static const char *const lines[] = {
        "All channels",
        "  Up Down PgUp PgDn Home End   choose a channel (also j k g G)",
        "  Enter or Right               look into it",
        "  /                            filter by name; Escape takes the filter off",
        "  < >                          sort by the column before, or behind",
        "  r                            reverse the order",
        "  q                            quit",
        "",
        "One channel",
        "  + -                          a longer or shorter range",
        "  Tab                          another kind of words",
        "  Up Down PgUp PgDn            scroll words and users",
        "  Escape, Left or q            back to all channels",
        "",
        "MSG/MIN and WORDS/MIN are those of the last 60 seconds; TAKE PART is chatters per viewer.",
        "",
        "Any key goes on.",
    };
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
        hb_top_put(screen, i, 0, screen->columns, HB_TOP_PLAIN, hb_bytes_of(lines[i]));
}

static void draw_last_row(hb_top_screen *screen, const hb_top_state *state, const hb_top_news *news, hb_bytes error)
{
    const unsigned row = screen->rows - 1;
    if (error.size > 0)
        hb_top_put(screen, row, 0, screen->columns, HB_TOP_ALERT, error);
    else if (news == NULL)
        hb_top_put(screen, row, 0, screen->columns, HB_TOP_QUIET, HB_BYTES("asking ..."));
    else if (state->typing)
        hb_top_put(screen, row, 0, screen->columns, HB_TOP_QUIET, HB_BYTES("Enter keep  Escape take off"));
    else if (state->channel[0] != '\0')
        hb_top_put(screen, row, 0, screen->columns, HB_TOP_QUIET,
                   HB_BYTES("Escape back  + - range  Tab kind of words  ? help"));
    else
        hb_top_put(screen, row, 0, screen->columns, HB_TOP_QUIET,
                   HB_BYTES("Enter look into  / filter  < > sort  r reverse  ? help  q quit"));
}

void hb_top_draw(hb_top_screen *screen, hb_top_state *state, const hb_top_news *news, hb_bytes error)
{
    if (screen->rows == 0)
        return;
    if (state->help) {
        draw_help(screen);
        return;
    }
    if (state->channel[0] != '\0') {
        draw_channel(screen, state, news, screen->rows - 1);
    } else {
        hb_top_put(screen, 0, 0, screen->columns, HB_TOP_STRONG, HB_BYTES("hubbub"));
        draw_overview(screen, state, news);
    }
    draw_last_row(screen, state, news, error);
}

void hb_top_draw_plain(hb_top_screen *screen, hb_top_state *state, const hb_top_news *news, unsigned columns)
{
    if (state->channel[0] != '\0') {
        hb_top_screen_clear(screen, 5 + CHART_MOST + 1 + PLAIN_RANKED, columns);
        draw_channel(screen, state, news, screen->rows);
        return;
    }
    hb_top_screen_clear(screen, (unsigned)state->row_count + 1, columns);
    draw_table(screen, state, news, 0, screen->rows, false);
}
