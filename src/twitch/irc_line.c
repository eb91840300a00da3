/* irc_line.c - one IRC line into its parts, in one pass, without a copy.
 *
 * The grammar is RFC 1459 section 2.3.1 (spaces may be repeated) with the IRCv3 message-tags extension in front. Each
 * step takes something off the front of `rest`, which only ever shrinks: that is why nothing reads past the end. */
#include "base/bytes.h"

static void skip_spaces(hb_bytes *rest)
{
    while (rest->size > 0 && rest->data[0] == ' ')
        *rest = hb_bytes_from(*rest, 1);
}

/* Takes what stands before the next space, and the spaces. */
static hb_bytes take_atom(hb_bytes *rest)
{
    hb_bytes atom = {rest->data, 0};
    hb_bytes_cut(rest, ' ', &atom);
    skip_spaces(rest);
    return atom;
}

static bool is_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

static bool is_command(hb_bytes command)
{
    size_t letters = 0;
    size_t digits = 0;
    for (size_t i = 0; i < command.size; i++) {
        letters += is_letter(command.data[i]);
        digits += (unsigned char)(command.data[i] - '0') < 10;
    }
    return command.size > 0 && (letters == command.size || (digits == 3 && command.size == 3));
}

static hb_bytes without_line_end(hb_bytes text)
{
    if (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    if (text.size > 0 && text.data[text.size - 1] == '\r')
        text.size--;
    return text;
}

static bool holds(hb_bytes text, char c)
{
    return text.size > 0 && memchr(text.data, c, text.size) != NULL;
}

static void take_params(hb_bytes rest, hb_line *line)
{
    line->param_count = 0;
    while (rest.size > 0) {
        hb_bytes *param = &line->params[line->param_count++];
        if (rest.data[0] == ':' || line->param_count == HB_LINE_PARAMS) {
            *param = rest.data[0] == ':' ? hb_bytes_from(rest, 1) : rest;
            return;
        }
        *param = take_atom(&rest);
    }
}

bool hb_line_parse(hb_bytes text, hb_line *line)
{
    hb_bytes rest = without_line_end(text);
    if (holds(rest, '\0') || holds(rest, '\r') || holds(rest, '\n'))
        return false;
    line->tags = line->source = (hb_bytes){rest.data, 0};
    if (rest.size > 0 && rest.data[0] == '@')
        line->tags = hb_bytes_from(take_atom(&rest), 1);
    if (rest.size > 0 && rest.data[0] == ':')
        line->source = hb_bytes_from(take_atom(&rest), 1);
    line->command = take_atom(&rest);
    take_params(rest, line);
    return is_command(line->command);
}

bool hb_tags_next(hb_bytes *rest, hb_bytes *key, hb_bytes *value)
{
    if (!hb_bytes_cut(rest, ';', key))
        return false;
    const char *equals = key->size == 0 ? NULL : memchr(key->data, '=', key->size);
    const size_t key_size = equals == NULL ? key->size : (size_t)(equals - key->data);
    *value = hb_bytes_from(*key, equals == NULL ? key_size : key_size + 1);
    key->size = key_size;
    return true;
}

bool hb_line_tag(const hb_line *line, hb_bytes key, hb_bytes *value)
{
    hb_bytes rest = line->tags;
    hb_bytes found_key;
    hb_bytes found_value;
    bool found = false;
    while (hb_tags_next(&rest, &found_key, &found_value))
        if (hb_bytes_equal(found_key, key)) {
            *value = found_value;
            found = true;
        }
    return found;
}

size_t hb_tag_unescape(hb_bytes value, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (c == '\\') {
            if (++i == value.size)
                break;
            c = value.data[i];
            c = (char)(c == ':' ? ';' : c == 's' ? ' ' : c == 'r' ? '\r' : c == 'n' ? '\n' : c);
        }
        out[size++] = c;
    }
    return size;
}
