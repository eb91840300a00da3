/* main.c - finds the subcommand in the table and runs it. */
#include "cmd/commands.h"

#include "base/say.h"

#include <signal.h>
#include <stdio.h>

static void print_help(void)
{
    printf("hubbub: real-time and batch analytics for Twitch chat\n\n");
    for (const hb_command *const *command = hb_commands; *command != NULL; command++)
        printf("  hubbub %-10s %s\n", (*command)->name, (*command)->summary);
    printf("\n'hubbub COMMAND --help' shows a command's options; 'man hubbub' tells more.\n");
}

int main(int argc, char **argv)
{
    /* A reader that goes away (hubbub cat | head, a browser) is an error of that write, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    const char *name = argc > 1 ? argv[1] : "";
    const bool help = strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (strcmp(name, "--version") == 0) {
        printf("hubbub %s\n", HB_VERSION);
        return 0;
    }
    if (help && argc > 2) {
        static char flag[] = "--help";
        name = argv[2];
        argv[2] = flag;
    } else if (help || argc < 2) {
        print_help();
        return help ? 0 : 2;
    }
    for (const hb_command *const *command = hb_commands; *command != NULL; command++)
        if (strcmp((*command)->name, name) == 0)
            return hb_options_run(*command, argc - 2, argv + 2);
    hb_say_error("there is no command '%s'; 'hubbub help' lists them", name);
    return 2;
}
