/* channels_file.c - channel names are checked here, where the file and the line can still be named. */
#include "cmd/channels_file.h"

#include "base/error.h"
#include "twitch/channel_name.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 16 << 20 };

void hb_channel_list_add(hb_channel_list *list, hb_bytes login)
{
    char *copy = hb_arena_alloc(&list->arena, login.size + 1);
    memcpy(copy, login.data, login.size);
    copy[login.size] = '\0';
    HB_RESERVE(list->names, list->capacity, list->count + 1);
    list->names[list->count++] = copy;
}

static bool take_text(hb_channel_list *list, const char *path, hb_bytes text, hb_error *error)
{
    char login[HB_LOGIN_MAX + 1];
    hb_bytes line;
    hb_bytes name;
    if (hb_bytes_start_with(text, HB_BYTES("\xEF\xBB\xBF"))) /* a byte order mark, as some editors write it */
        text = hb_bytes_from(text, 3);
    for (unsigned number = 1; hb_bytes_cut(&text, '\n', &line); number++) {
        if (!hb_bytes_cut(&line, '#', &name) || (name = hb_bytes_trim(name)).size == 0)
            continue;
        if (!hb_channel_name_read(name, login))
            return hb_fail(error, HB_ERROR_USAGE,
                           "%s line %u: '%.*s' is no channel's name: that is 1 to %d letters, digits and underscores",
                           path, number, name.size < 100 ? (int)name.size : 100, name.data, HB_LOGIN_MAX);
        hb_channel_list_add(list, hb_bytes_of(login));
    }
    return true;
}

bool hb_channel_list_read(hb_channel_list *list, const char *path, hb_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return hb_fail_errno(error, "the channels file %s cannot be read", path);
    hb_buffer text = {0};
    size_t size = 0;
    do {
        size = fread(hb_buffer_room(&text, 64 * 1024), 1, 64 * 1024, file);
        text.size += size;
    } while (size > 0 && text.size <= FILE_MAX);
    bool fine = ferror(file) == 0 || hb_fail_errno(error, "the channels file %s cannot be read", path);
    fclose(file);
    if (fine && text.size > FILE_MAX)
        fine = hb_fail(error, HB_ERROR_LIMIT, "the channels file %s is over 16 MiB; that is no list of channels", path);
    fine = fine && take_text(list, path, hb_buffer_bytes(&text), error);
    hb_buffer_free(&text);
    return fine;
}

bool hb_channel_list_gather(hb_channel_list *list, const hb_options *options, hb_error *error)
{
    char login[HB_LOGIN_MAX + 1];
    const char *path = hb_options_text(options, "channels-file");
    for (size_t i = 0; i < hb_options_argument_count(options); i++) {
        const char *name = hb_options_argument(options, i);
        if (!hb_channel_name_read(hb_bytes_of(name), login))
            return hb_fail(error, HB_ERROR_USAGE,
                           "'%s' is no channel's name: that is 1 to %d letters, digits and underscores", name,
                           HB_LOGIN_MAX);
        hb_channel_list_add(list, hb_bytes_of(login));
    }
    if (path != NULL && !hb_channel_list_read(list, path, error))
        return false;
    if (list->count > 0)
        return true;
    if (path != NULL)
        return hb_fail(error, HB_ERROR_USAGE, "the channels file %s names no channel", path);
    return hb_fail(error, HB_ERROR_USAGE, "no channel is given: name at least one, or use --channels-file FILE");
}

void hb_channel_list_free(hb_channel_list *list)
{
    free((void *)list->names);
    hb_arena_free(&list->arena);
    *list = (hb_channel_list){0};
}
