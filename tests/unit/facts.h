/* facts.h - random facts, the lines that say them, and a slow obvious count of them: what a sheet should be. */
#ifndef HB_TESTS_FACTS_H
#define HB_TESTS_FACTS_H

#include "sheet_text.h"

typedef struct chat_fact {
    char kind; /* m: message, s: Shared Chat copy, v: viewers, n: notice, r: room state, c: a message removed */
    char channel[16];
    int64_t time_ms;
    char id[16]; /* empty: none */
    char room[16];
    char user[16];  /* empty: no user-id tag */
    char login[16]; /* empty: from a server */
    char name[16];  /* empty: no display-name tag */
    char words[64];
    unsigned viewers;
    bool first;      /* the user's first message in the channel */
    char badges[48]; /* empty: no badges tag */
    bool subscribed; /* tag subscriber=1 */
} chat_fact;

typedef struct chat_dice {
    uint64_t state; /* Marsaglia's xorshift64 */
} chat_dice;

static inline unsigned roll(chat_dice *dice, unsigned sides)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (unsigned)((dice->state >> 20) % sides);
}

static inline chat_fact random_fact(chat_dice *dice, int64_t from_s, unsigned span_s)
{
    chat_fact made = {.kind = "mmmmmmmmsvnrc"[roll(dice, 13)]};
    snprintf(made.channel, sizeof made.channel, "chan%u", roll(dice, 4));
    made.time_ms = from_s * 1000 + (int64_t)roll(dice, span_s) * 1000 + roll(dice, 1000);
    snprintf(made.room, sizeof made.room, "%u", roll(dice, 3) == 0 ? 1000 + roll(dice, 3) : 0);
    if (roll(dice, 10) > 0)
        snprintf(made.id, sizeof made.id, "id%u", roll(dice, 1u << 30));
    if (roll(dice, 10) > 0)
        snprintf(made.user, sizeof made.user, "%u", 100 + roll(dice, 30));
    if (roll(dice, 20) > 0)
        snprintf(made.login, sizeof made.login, "login%u", roll(dice, 30));
    if (roll(dice, 4) > 0)
        snprintf(made.name, sizeof made.name, "Name%u", roll(dice, 40));
    size_t at = 0;
    for (unsigned words = roll(dice, 6); words > 0; words--)
        at += (size_t)snprintf(made.words + at, sizeof made.words - at, "w%u ", roll(dice, 5) * roll(dice, 20));
    made.viewers = roll(dice, 100000);
    made.first = roll(dice, 6) == 0;
    made.subscribed = roll(dice, 20) == 0;
    static const char *const badges[] = {
        "",          "subscriber/12", "moderator/1,subscriber/0", "founder/0,premium/1", "vip/1", "subscriber-gifter/5",
        "partner/1",
    };
    snprintf(made.badges, sizeof made.badges, "%s", badges[roll(dice, sizeof badges / sizeof *badges)]);
    return made;
}

/* In random case, as a line with LF. */
static inline void print_fact(hb_buffer *out, const chat_fact *fact)
{
    static const char *const commands[] = {"PRIVMSG", "PRIVMSG", "STREAM", "USERNOTICE", "ROOMSTATE", "CLEARMSG"};
    const char *command = commands[strchr("msvnrc", fact->kind) - "msvnrc"];
    hb_buffer_print(out, "@rm-received-ts=%lld;tmi-sent-ts=%lld;room-id=%s", (long long)fact->time_ms + 20,
                    (long long)fact->time_ms, fact->room);
    if (fact->kind == 's')
        hb_buffer_print(out, ";source-room-id=777");
    if (fact->badges[0] != '\0')
        hb_buffer_print(out, ";badge-info=subscriber/30;badges=%s", fact->badges);
    hb_buffer_print(out, ";first-msg=%d;subscriber=%d", fact->first, fact->subscribed);
    if (fact->kind == 'v')
        hb_buffer_print(out, ";game-name=Game\\s%u;title=Title%u", fact->viewers % 5, fact->viewers % 7);
    if (fact->id[0] != '\0')
        hb_buffer_print(out, ";%s=%s", fact->kind == 'c' ? "target-msg-id" : "id", fact->id);
    if (fact->user[0] != '\0')
        hb_buffer_print(out, ";user-id=%s", fact->user);
    if (fact->name[0] != '\0')
        hb_buffer_print(out, ";display-name=%s\\sX", fact->name);
    if (fact->kind == 'v')
        hb_buffer_print(out, " :hubbub");
    else if (fact->login[0] != '\0')
        hb_buffer_print(out, " :%s!%s@host", fact->login, fact->login);
    else
        hb_buffer_print(out, " :tmi.twitch.tv");
    hb_buffer_print(out, " %s #%c%s", command, fact->viewers % 2 == 0 ? 'C' : 'c', fact->channel + 1);
    if (fact->kind == 'v')
        hb_buffer_print(out, " %u\n", fact->viewers);
    else if (strchr("msn", fact->kind) != NULL)
        hb_buffer_print(out, " :%s\n", fact->words);
    else
        hb_buffer_print(out, "\n");
}

/* ---- The slow obvious count ---- */

static inline int64_t hour_of(const chat_fact *fact)
{
    return fact->time_ms / 3600000 * 3600;
}

/* Whether an earlier fact of the list had the id already. */
static inline bool is_duplicate(const chat_fact *facts, size_t number)
{
    const chat_fact *const one = &facts[number];
    if (one->id[0] == '\0' || strchr("msn", one->kind) == NULL)
        return false;
    for (size_t i = 0; i < number; i++)
        if (strchr("msn", facts[i].kind) != NULL && strcmp(facts[i].id, one->id) == 0 &&
            strcmp(facts[i].channel, one->channel) == 0 && hour_of(&facts[i]) == hour_of(one))
            return true;
    return false;
}

static inline const char *user_of(const chat_fact *fact)
{
    return fact->user[0] != '\0' ? fact->user : fact->login;
}

static inline void name_of(const chat_fact *fact, char name[32])
{
    snprintf(name, 32, fact->name[0] != '\0' ? "%s X" : "%s",
             fact->name[0] != '\0'    ? fact->name
             : fact->login[0] != '\0' ? fact->login
                                      : fact->user);
}

static inline unsigned words_of(const chat_fact *fact, const char *wanted)
{
    unsigned count = 0;
    char copy[64];
    snprintf(copy, sizeof copy, "%s", fact->words);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        count += wanted == NULL || strcmp(word, wanted) == 0;
    return count;
}

/* Whether the badges, or the tag, say that the user is a subscriber. */
static inline bool is_subscriber(const chat_fact *fact)
{
    return fact->subscribed || strstr(fact->badges, "subscriber/") != NULL || strstr(fact->badges, "founder/") != NULL;
}

static inline void count_minute(text_lines *text, const chat_fact *const *facts, size_t count, unsigned minute)
{
    unsigned messages = 0, words = 0, chatters = 0, shared = 0, samples = 0, firsts = 0, subscribers = 0;
    unsigned long long viewers = 0;
    char latest[64] = "|";
    int64_t latest_ms = 0;
    for (size_t i = 0; i < count; i++) {
        if (facts[i]->time_ms / 60000 % 60 != minute)
            continue;
        if (facts[i]->kind == 's')
            shared++;
        if (facts[i]->kind == 'v') {
            char said[64];
            snprintf(said, sizeof said, "Game %u|Title%u", facts[i]->viewers % 5, facts[i]->viewers % 7);
            if (samples == 0 || facts[i]->time_ms > latest_ms ||
                (facts[i]->time_ms == latest_ms && strcmp(said, latest) > 0))
                memcpy(latest, said, sizeof latest);
            latest_ms = facts[i]->time_ms > latest_ms ? facts[i]->time_ms : latest_ms;
            samples++;
            viewers += facts[i]->viewers;
        }
        if (facts[i]->kind != 'm')
            continue;
        messages++;
        firsts += facts[i]->first;
        subscribers += is_subscriber(facts[i]);
        words += words_of(facts[i], NULL);
        bool first = user_of(facts[i])[0] != '\0';
        for (size_t k = 0; k < i && first; k++)
            if (facts[k]->kind == 'm' && facts[k]->time_ms / 60000 % 60 == minute &&
                strcmp(user_of(facts[k]), user_of(facts[i])) == 0)
                first = false;
        chatters += first;
    }
    if (messages + shared + samples > 0)
        text_add(text, "minute %u: %u %u %u %u %u %u, %llu %u %s", minute, messages, words, chatters, shared, firsts,
                 subscribers, viewers, samples, latest);
}

static inline void count_user_of(text_lines *text, const chat_fact *const *facts, size_t count, size_t first)
{
    unsigned messages = 0, words = 0;
    unsigned long long minutes = 0;
    char name[32] = "";
    int64_t name_ms = 0;
    if (facts[first]->kind != 'm' || user_of(facts[first])[0] == '\0')
        return;
    for (size_t i = 0; i < count; i++) {
        if (facts[i]->kind != 'm' || strcmp(user_of(facts[i]), user_of(facts[first])) != 0)
            continue;
        if (i < first)
            return;
        char said[32];
        messages++;
        words += words_of(facts[i], NULL);
        minutes |= 1ULL << (facts[i]->time_ms / 60000 % 60);
        name_of(facts[i], said);
        if (facts[i]->time_ms > name_ms || (facts[i]->time_ms == name_ms && strcmp(said, name) > 0))
            memcpy(name, said, sizeof name);
        name_ms = facts[i]->time_ms > name_ms ? facts[i]->time_ms : name_ms;
    }
    text_add(text, "user %s %s %u %u %016llx", user_of(facts[first]), name, messages, words, minutes);
}

/* What sheet_text says of a channel's and hour's facts; NULL when there are none. Duplicates have been taken out. */
static inline char *slow_text(const chat_fact *all, size_t all_count, const char *channel, int64_t hour_s)
{
    const chat_fact **facts = hb_resize(NULL, all_count, sizeof *facts);
    size_t count = 0;
    text_lines text = {0};
    int64_t first_ms = INT64_MAX, last_ms = 0, room_ms = 0;
    char room[16] = "";
    for (size_t i = 0; i < all_count; i++) {
        if (strcmp(all[i].channel, channel) != 0 || hour_of(&all[i]) != hour_s)
            continue;
        facts[count++] = &all[i];
        first_ms = all[i].time_ms < first_ms ? all[i].time_ms : first_ms;
        last_ms = all[i].time_ms > last_ms ? all[i].time_ms : last_ms;
        if (all[i].time_ms > room_ms || (all[i].time_ms == room_ms && strcmp(all[i].room, room) > 0))
            memcpy(room, all[i].room, sizeof room);
        room_ms = all[i].time_ms > room_ms ? all[i].time_ms : room_ms;
    }
    if (count > 0) {
        text_add(&text, "sheet %s %lld room %s from %lld to %lld", channel, (long long)hour_s, room,
                 (long long)first_ms, (long long)last_ms);
        for (unsigned m = 0; m < 60; m++)
            count_minute(&text, facts, count, m);
        for (size_t i = 0; i < count; i++)
            count_user_of(&text, facts, count, i);
        for (unsigned w = 0; w < 100; w++) {
            char word[8];
            unsigned total = 0;
            snprintf(word, sizeof word, "w%u", w);
            for (size_t i = 0; i < count; i++)
                total += facts[i]->kind == 'm' ? words_of(facts[i], word) : 0;
            if (total > 0)
                text_add(&text, "word 0 %s %u", word, total);
        }
    }
    free(facts);
    return count == 0 ? NULL : text_join(&text);
}

#endif
