/* emote_cache.c - small files, read and written whole; a new one takes the old one's place by rename. */
#include "twitch/emote_cache.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

static const hb_bytes head = {"hubbub emotes 1 ", 16};

static void print_path(const char *directory, hb_emote_service service, hb_bytes room_id, const char *ending,
                       hb_buffer *path)
{
    hb_buffer_print(path, "%s/%s-%.*s%s%c", directory, hb_emote_service_name(service),
                    room_id.size == 0 ? (int)strlen("global") : (int)room_id.size,
                    room_id.size == 0 ? "global" : room_id.data, ending, '\0');
}

/* False when it is not there, or too long to be one. */
static bool read_file(const char *path, hb_buffer *text)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    text->size = fread(hb_buffer_room(text, FILE_MAX), 1, FILE_MAX, file);
    const bool whole = ferror(file) == 0 && text->size < FILE_MAX;
    fclose(file);
    return whole;
}

bool hb_emote_cache_read(const char *directory, hb_emote_service service, hb_bytes room_id, hb_buffer *names,
                         int64_t *when_s)
{
    hb_buffer path = {0};
    hb_buffer text = {0};
    hb_bytes line;
    uint64_t when = 0;
    print_path(directory, service, room_id, "", &path);
    bool good = read_file(path.data, &text);
    hb_bytes rest = hb_buffer_bytes(&text);
    good = good && hb_bytes_cut(&rest, '\n', &line) && hb_bytes_start_with(line, head) &&
           hb_bytes_to_u64(hb_bytes_from(line, head.size), &when) && when <= INT64_MAX / 1000 && rest.size > 0 &&
           rest.data[rest.size - 1] == '\n';
    names->size = 0;
    *when_s = (int64_t)when;
    if (good && hb_bytes_cut(&rest, '\n', &line)) {
        size_t left = HB_EMOTE_LIST_MAX;
        for (hb_bytes name; left > 0 && hb_bytes_cut(&line, ' ', &name);)
            left -= hb_emote_list_add(names, name);
    }
    hb_buffer_free(&path);
    hb_buffer_free(&text);
    return good;
}

/* And the one that it is in. If that fails, so does what follows. */
static void make_directory(const char *path)
{
    const char *const last = strrchr(path, '/');
    if (last != NULL && last != path) {
        char *const parent = hb_copy_text((hb_bytes){path, (size_t)(last - path)});
        mkdir(parent, 0777);
        free(parent);
    }
    mkdir(path, 0777);
}

static bool write_file(const char *path, hb_bytes names, int64_t when_s)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return false;
    const bool written = fprintf(file, "%.*s%" PRId64 "\n%.*s\n", HB_PRINT(head), when_s, HB_PRINT(names)) > 0;
    return (fclose(file) == 0) && written;
}

bool hb_emote_cache_write(const char *directory, hb_emote_service service, hb_bytes room_id, hb_bytes names,
                          int64_t when_s, hb_error *error)
{
    hb_buffer path = {0};
    hb_buffer new_path = {0};
    print_path(directory, service, room_id, "", &path);
    print_path(directory, service, room_id, ".new", &new_path);
    make_directory(directory);
    const bool good = (write_file(new_path.data, names, when_s) && rename(new_path.data, path.data) == 0) ||
                      hb_fail_errno(error, "%s cannot be written", path.data);
    if (!good)
        unlink(new_path.data);
    hb_buffer_free(&path);
    hb_buffer_free(&new_path);
    return good;
}
