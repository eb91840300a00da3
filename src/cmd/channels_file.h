/* channels_file.h - the channels that a command is to listen to: its arguments and the lines of --channels-file. */
#ifndef HB_CMD_CHANNELS_FILE_H
#define HB_CMD_CHANNELS_FILE_H

#include "base/memory.h"
#include "cmd/options.h"

typedef struct hb_channel_list { /* zero-initialise; free with hb_channel_list_free */
    const char **names;
    size_t count;
    size_t capacity;
    hb_arena arena;
} hb_channel_list;

/* Adds a name (copied, not checked). */
void hb_channel_list_add(hb_channel_list *list, hb_bytes login);

/* Reads a file of channels: one login a line. '#' begins a comment, also at a name's front: that is how people switch
 * a line off. Names are added to the list. False: HB_ERROR_USAGE (a line that is no name, with
 * its number), HB_ERROR_SYSTEM, HB_ERROR_LIMIT (the file is over 16 MiB). */
bool hb_channel_list_read(hb_channel_list *list, const char *path, hb_error *error);

/* Gathers the arguments of a command and its --channels-file (HB_OPTIONS_INGEST), which is read again at each call.
 * HB_ERROR_USAGE as well when there is no channel at all. */
bool hb_channel_list_gather(hb_channel_list *list, const hb_options *options, hb_error *error);

void hb_channel_list_free(hb_channel_list *list);

#endif
