/* dotenv.c - reads .env. The file is small (at most 64 KiB are accepted), so it is read whole. */
#include "cmd/dotenv.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>

enum { DOTENV_MAX = 65536 };

static bool is_name(hb_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.size > 0;
}

static bool take_line(hb_dotenv *dotenv, hb_bytes line)
{
    line = hb_bytes_trim(line);
    if (line.size == 0 || line.data[0] == '#')
        return true;
    if (hb_bytes_start_with(line, HB_BYTES("export ")))
        line = hb_bytes_trim(hb_bytes_from(line, sizeof "export"));
    hb_bytes value = line;
    hb_bytes name;
    if (memchr(line.data, '=', line.size) == NULL || !hb_bytes_cut(&value, '=', &name) || !is_name(hb_bytes_trim(name)))
        return false;
    value = hb_bytes_trim(value);
    if (value.size > 0 && (value.data[0] == '"' || value.data[0] == '\'')) {
        if (value.size < 2 || value.data[value.size - 1] != value.data[0])
            return false;
        value = (hb_bytes){value.data + 1, value.size - 2};
    }
    hb_buffer_append(&dotenv->text, hb_bytes_trim(name));
    hb_buffer_append_char(&dotenv->text, '\0');
    hb_buffer_append(&dotenv->text, value);
    hb_buffer_append_char(&dotenv->text, '\0');
    return true;
}

bool hb_dotenv_read(const char *path, hb_dotenv *dotenv, hb_error *error)
{
    *dotenv = (hb_dotenv){0};
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT || hb_fail_errno(error, "%s cannot be read", path);
    hb_buffer text = {0};
    text.size = fread(hb_buffer_room(&text, DOTENV_MAX), 1, DOTENV_MAX, file);
    const bool whole = ferror(file) == 0 && text.size < DOTENV_MAX;
    fclose(file);
    bool fine = whole || hb_fail(error, HB_ERROR_USAGE, "%s cannot be read, or is larger than 64 KiB", path);
    hb_bytes rest = hb_buffer_bytes(&text);
    hb_bytes line;
    for (unsigned number = 1; fine && hb_bytes_cut(&rest, '\n', &line); number++)
        if (memchr(line.data, '\0', line.size) != NULL || !take_line(dotenv, line))
            fine = hb_fail(error, HB_ERROR_USAGE, "%s line %u is not NAME=value", path, number);
    hb_buffer_free(&text);
    if (!fine)
        hb_buffer_free(&dotenv->text);
    return fine;
}

const char *hb_dotenv_get(const hb_dotenv *dotenv, const char *name)
{
    for (size_t at = 0; at < dotenv->text.size;) {
        const char *key = dotenv->text.data + at;
        const char *value = key + strlen(key) + 1;
        if (strcmp(key, name) == 0)
            return value;
        at = (size_t)(value + strlen(value) + 1 - dotenv->text.data);
    }
    return NULL;
}
