/* words.c - how many messages a second of processor time hb_words_split takes, for some kinds of text. */
#include "text/words_paths.h"

#include <stdio.h>
#include <time.h>

typedef size_t split(hb_words *words, hb_bytes text, hb_bytes emotes, const hb_token **tokens, bool *bad_utf8);

static const struct {
    const char *name;
    const char *text;
    const char *emotes;
} kinds[] = {
    {"ASCII, 3 words", "lol that's crazy", ""},
    {"ASCII, 12 words", "I can't believe he actually did that, what a play! GG WP everyone", ""},
    {"ASCII, 4 emotes", "Kappa Kappa nice one PogChamp PogChamp", "25:0-4,6-10/305954156:21-28,30-37"},
    {"ASCII, mention, link", "@Streamer check https://clips.twitch.tv/SomeClip?x=1 it's hilarious", ""},
    {"ASCII and an emoji", "that was so funny lol \U0001f602", ""},
    {"emoji", "\U0001f602\U0001f602\U0001f602 \u2764\ufe0f \U0001f44d\U0001f3fd", ""},
    {"one accent", "la verdad que est\u00e1 muy bueno el stream de hoy", ""},
    {"German", "Gr\u00fc\u00dfe aus M\u00fcnchen, das wird heute wieder \u00fcberragend sch\u00f6n", ""},
    {"Russian",
     "\u043f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c, \u043a\u0430\u043a \u0434\u0435\u043b\u0430 "
     "\u0441\u0435\u0433\u043e\u0434\u043d\u044f \u0432 \u0447\u0430\u0442\u0435",
     ""},
    {"Korean",
     "\uc548\ub155\ud558\uc138\uc694 \uc5ec\ub7ec\ubd84 \uc624\ub298\ub3c4 \uc7ac\ubc0c\uac8c "
     "\u3131\u3131\u3131\u3131",
     ""},
    {"Chinese", "\u4eca\u5929\u5929\u6c14\u771f\u597d\u6211\u4eec\u4e00\u8d77\u53bb\u770b\u76f4\u64ad\u5427", ""},
    {"Japanese",
     "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c\u3001\u914d\u4fe1\u304a\u75b2\u308c\u69d8\u3067\u3057"
     "\u305f",
     ""},
    {"Thai",
     "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a\u0e1c\u0e21\u0e0a\u0e37\u0e48\u0e2d"
     "\u0e2a\u0e21\u0e0a\u0e32\u0e22",
     ""},
};

static double processor_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double measure(hb_words *words, split *way, hb_bytes text, hb_bytes emotes, size_t *count)
{
    const hb_token *tokens = NULL;
    bool bad = false;
    const double start = processor_s();
    double spent = 0;
    double messages = 0;
    while (spent < 0.2) {
        for (int i = 0; i < 1000; i++)
            *count = way(words, text, emotes, &tokens, &bad);
        messages += 1000;
        spent = processor_s() - start;
    }
    return messages / spent;
}

int main(void)
{
    hb_error error;
    hb_words *words = hb_words_open(&error);
    if (words == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    printf("%-22s %6s %7s %14s %14s\n", "text", "bytes", "tokens", "messages/s", "all by ICU");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t count = 0;
        const hb_bytes text = hb_bytes_of(kinds[i].text);
        const hb_bytes emotes = hb_bytes_of(kinds[i].emotes);
        const double slow = measure(words, hb_words_split_slowly, text, emotes, &count);
        const double fast = measure(words, hb_words_split, text, emotes, &count);
        printf("%-22s %6zu %7zu %14.0f %14.0f\n", kinds[i].name, text.size, count, fast, slow);
    }
    hb_words_close(words);
    return 0;
}
