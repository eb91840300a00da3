/* helix_answer.c - jansson reads the JSON; what it gives is checked before it goes anywhere: the answer comes from a
 * server that --helix may name, and its texts from streamers. */
#include "twitch/helix_answer.h"

#include "base/error.h"
#include "twitch/channel_name.h"
#include "twitch/json_answer.h"

#include <stdlib.h>

enum { TOKEN_MAX = 4096, EXPIRES_MAX_S = 10 * 365 * 24 * 3600, ROOM_ID_MAX = 20 };
#define VIEWERS_MAX 1000000000000

/* ---- Tokens ---- */

static bool fits_a_header(hb_bytes token)
{
    for (size_t i = 0; i < token.size; i++)
        if (token.data[i] <= ' ' || token.data[i] > '~')
            return false;
    return token.size > 0 && token.size <= TOKEN_MAX;
}

bool hb_helix_read_token(hb_bytes body, hb_helix_token *token, hb_error *error)
{
    json_t *const root = hb_json_answer_parse(body);
    const hb_bytes text = hb_json_answer_text(root, "access_token");
    const bool good = fits_a_header(text);
    *token = (hb_helix_token){0};
    if (good) {
        const json_int_t expires = json_integer_value(json_object_get(root, "expires_in")); /* 0 when it is no number */
        token->text = hb_copy_text(text);
        token->expires_in_s = expires < 0 ? 0 : expires > EXPIRES_MAX_S ? EXPIRES_MAX_S : expires;
    }
    json_decref(root);
    return good || hb_fail(error, HB_ERROR_CORRUPT, "the answer holds no access token");
}

/* ---- Streams ---- */

static bool is_number(hb_bytes text)
{
    uint64_t number = 0;
    return text.size <= ROOM_ID_MAX && hb_bytes_to_u64(text, &number);
}

/* login has to last as long as the sample. */
static bool read_stream(const json_t *entry, char login[HB_LOGIN_MAX + 1], hb_stream_sample *sample)
{
    const json_t *const viewers = json_object_get(entry, "viewer_count");
    const hb_bytes name = hb_json_answer_text(entry, "user_login");
    const json_int_t count = json_integer_value(viewers);
    if (!json_is_integer(viewers) || count < 0 || count > VIEWERS_MAX || memchr(name.data, '#', name.size) != NULL ||
        !hb_channel_name_read(name, login))
        return false;
    *sample = (hb_stream_sample){
        .login = hb_bytes_of(login),
        .room_id = hb_json_answer_text(entry, "user_id"),
        .game = hb_json_answer_text(entry, "game_name"),
        .title = hb_json_answer_text(entry, "title"),
        .viewers = (uint64_t)count,
    };
    if (!is_number(sample->room_id))
        sample->room_id.size = 0;
    return true;
}

bool hb_helix_read_streams(hb_bytes body, void (*take)(void *context, const hb_stream_sample *sample), void *context,
                           hb_helix_counts *counts, hb_error *error)
{
    json_t *const root = hb_json_answer_parse(body);
    const json_t *const data = json_object_get(root, "data");
    const bool good = json_is_array(data);
    size_t i = 0;
    const json_t *entry = NULL;
    *counts = (hb_helix_counts){0};
    json_array_foreach(data, i, entry)
    {
        char login[HB_LOGIN_MAX + 1];
        hb_stream_sample sample;
        if (!read_stream(entry, login, &sample)) {
            counts->malformed++;
        } else if (hb_bytes_equal(hb_json_answer_text(entry, "type"), HB_BYTES("live"))) {
            counts->streams++;
            take(context, &sample);
        }
    }
    json_decref(root);
    return good || hb_fail(error, HB_ERROR_CORRUPT, "the answer is no list of streams");
}

/* ---- Errors ---- */

void hb_helix_read_message(hb_bytes body, char message[HB_HELIX_MESSAGE])
{
    json_t *const root = hb_json_answer_parse(body);
    const hb_bytes text = hb_json_answer_text(root, "message");
    size_t size = text.size < HB_HELIX_MESSAGE - 1 ? text.size : HB_HELIX_MESSAGE - 1;
    for (size_t i = 0; i < size; i++)
        message[i] = (char)(text.data[i] < ' ' || text.data[i] > '~' ? '?' : text.data[i]);
    message[size] = '\0';
    json_decref(root);
}
