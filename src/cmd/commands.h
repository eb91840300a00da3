/* commands.h - the subcommands, in the order in which help shows them. Each is defined in the file of its name. */
#ifndef HB_CMD_COMMANDS_H
#define HB_CMD_COMMANDS_H

#include "cmd/options.h"

extern const hb_command hb_command_ingest;

/* A NULL ends the list. */
extern const hb_command *const hb_commands[];

extern const hb_command hb_command_serve;

#endif
