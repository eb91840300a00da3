/* fold_tool.c - counts a file of lines, for instructions.py: fold_tool FILE. Prints how many messages it counted.
 */
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    enum { PIECE = 1 << 20 };
    hb_error error = {0};
    hb_buffer lines = {0};
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    hb_fold *fold = hb_fold_open(&error);
    if (file == NULL || fold == NULL) {
        fprintf(stderr, "fold_tool: %s\n", fold == NULL ? error.text : "usage: fold_tool FILE");
        return 2;
    }
    for (size_t got = PIECE; got == PIECE; lines.size += got)
        got = fread(hb_buffer_room(&lines, PIECE), 1, PIECE, file);
    hb_fold_lines(fold, hb_buffer_bytes(&lines));
    const hb_fold_counts counts = hb_fold_count(fold);
    printf("%" PRIu64 "\n", counts.messages + counts.shared);
    hb_fold_close(fold);
    hb_buffer_free(&lines);
    fclose(file);
    return 0;
}
