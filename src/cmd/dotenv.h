/* dotenv.h - settings from a .env file: NAME=value lines, # comments, "quoted" or 'quoted' values, an optional export.
 */
#ifndef HB_CMD_DOTENV_H
#define HB_CMD_DOTENV_H

#include "base/memory.h"

typedef struct hb_dotenv {
    hb_buffer text; /* "NAME\0value\0" pairs */
} hb_dotenv;

/* Reads a file; one that does not exist is empty. False: HB_ERROR_USAGE (a line that is none, with its number) or
 * HB_ERROR_SYSTEM. Free with hb_buffer_free(&dotenv->text). */
bool hb_dotenv_read(const char *path, hb_dotenv *dotenv, hb_error *error);

/* The value of a name, or NULL. Belongs to the dotenv. */
const char *hb_dotenv_get(const hb_dotenv *dotenv, const char *name);

#endif
