/* commands.h - the subcommands, in the order in which help shows them. Each is defined in the file of its
 * name; those that ask the store are all in ask.c. */
#ifndef HB_CMD_COMMANDS_H
#define HB_CMD_COMMANDS_H

#include "cmd/options.h"

extern const hb_command hb_command_run;
extern const hb_command hb_command_ingest;
extern const hb_command hb_command_process;
extern const hb_command hb_command_batch;
extern const hb_command hb_command_verify;
extern const hb_command hb_command_serve;
extern const hb_command hb_command_channels;
extern const hb_command hb_command_rate;
extern const hb_command hb_command_words;
extern const hb_command hb_command_users;
extern const hb_command hb_command_viewers;
extern const hb_command hb_command_engagement;
extern const hb_command hb_command_moments;
extern const hb_command hb_command_top;
extern const hb_command hb_command_import;
extern const hb_command hb_command_export;
extern const hb_command hb_command_cat;
extern const hb_command hb_command_simulate;

/* A NULL ends the list. */
extern const hb_command *const hb_commands[];

#endif
