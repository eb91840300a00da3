/* commands.c - the table of subcommands. */
#include "cmd/commands.h"

const hb_command *const hb_commands[] = {
    &hb_command_serve,
    &hb_command_ingest,
    NULL,
};
