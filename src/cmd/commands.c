/* commands.c - the table of subcommands. */
#include "cmd/commands.h"

/* clang-format off */
const hb_command *const hb_commands[] = {
    &hb_command_run,
    &hb_command_ingest,
    &hb_command_process,
    &hb_command_batch,
    &hb_command_verify,
    &hb_command_serve,
    &hb_command_channels,
    &hb_command_rate,
    &hb_command_words,
    &hb_command_users,
    &hb_command_viewers,
    &hb_command_engagement,
    &hb_command_moments,
    &hb_command_top,
    &hb_command_import,
    &hb_command_export,
    &hb_command_cat,
    &hb_command_simulate,
    NULL,
};
/* clang-format on */
