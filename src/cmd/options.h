/* options.h - flags of a subcommand: from the command line, else the environment, else .env, else a default.
 *
 * A subcommand is an hb_command: a table entry with its options and one function. `--data DIR`, `--data=DIR`,
 * HUBBUB_DATA=DIR in the environment and in ./.env mean the same, in this order of strength. Values are checked when
 * they are parsed, so that reading them cannot fail: a wrong one is one line on stderr and exit code 2.
 */
#ifndef HB_CMD_OPTIONS_H
#define HB_CMD_OPTIONS_H

#include "base/bytes.h"

typedef enum hb_option_kind {
    HB_OPTION_FLAG,
    HB_OPTION_TEXT,
    HB_OPTION_NUMBER,  /* a whole number, 0 and up */
    HB_OPTION_REAL,    /* a finite number, 0 and up */
    HB_OPTION_SIZE,    /* bytes: 512M, 1G, 65536 */
    HB_OPTION_TIME,    /* hb_time_parse */
    HB_OPTION_ADDRESS, /* HOST:PORT; host may be empty or [IPv6] */
    HB_OPTION_SETTING, /* KEY=VALUE; may be given more than once; in the environment several stand with blanks between
                        */
    HB_OPTION_LIST     /* as HB_OPTION_SETTING, but any text that is not empty */
} hb_option_kind;

typedef struct hb_option {
    const char *name; /* without "--"; NULL ends the list */
    hb_option_kind kind;
    const char *argument; /* what the help shows: "DIR" */
    const char *fallback; /* the default as text, or NULL for none */
    const char *help;
} hb_option;

typedef struct hb_options hb_options;

typedef struct hb_command {
    const char *name;
    const char *arguments; /* "[CHANNEL…]", or "" */
    const char *summary;   /* one line */
    const hb_option *options;
    int arguments_max;                     /* positional arguments at most; -1: any number */
    int (*run)(const hb_options *options); /* returns the exit code */
} hb_command;

/* Parses and runs: the exit code. Prints help for --help. */
int hb_options_run(const hb_command *command, int argc, char **argv);

/* Values. Asking for a name that the command does not have is a bug and ends the process. */
bool hb_options_given(const hb_options *options, const char *name); /* by anything but the default */
bool hb_options_flag(const hb_options *options, const char *name);
const char *hb_options_text(const hb_options *options, const char *name); /* NULL when there is none */
uint64_t hb_options_number(const hb_options *options, const char *name);
double hb_options_real(const hb_options *options, const char *name);
int64_t hb_options_time(const hb_options *options, const char *name); /* Unix seconds */
bool hb_options_address(const hb_options *options, const char *name, const char **host, uint16_t *port);

/* Steps through the values of an HB_OPTION_SETTING or HB_OPTION_LIST, those of the environment first: start with *at =
 * 0. NULL at the end. */
const char *hb_options_next_setting(const hb_options *options, const char *name, size_t *at);

size_t hb_options_argument_count(const hb_options *options);
const char *hb_options_argument(const hb_options *options, size_t index);

/* A secret or setting that may only come from the environment or .env ("TWITCH_CLIENT_ID"); NULL when unset. */
const char *hb_options_environment(const hb_options *options, const char *name);

/* Where log and store are: --log and --store, else below --data; behind an address of a service stand the settings for
 * it (base/address.h). For commands whose options include HB_OPTIONS_PLACES. The texts belong to the options. */
const char *hb_options_log(const hb_options *options);
const char *hb_options_store(const hb_options *options);

#define HB_OPTIONS_PLACES                                                                                              \
    {"data", HB_OPTION_TEXT, "DIR", "./hubbub-data", "where everything is kept"},                                      \
        {"log", HB_OPTION_TEXT, "PLACE", NULL,                                                                         \
         "the log of facts: a directory, or kafka://HOST:PORT/TOPIC (default: DATA/log)"},                             \
        {"store", HB_OPTION_TEXT, "PLACE", NULL,                                                                       \
         "the counts: a file, or cassandra://HOST/KEYSPACE (default: DATA/hubbub.db)"},                                \
        {"kafka-config", HB_OPTION_SETTING, "KEY=VALUE", NULL, "a setting of librdkafka, for SASL or TLS say"},        \
    {                                                                                                                  \
        "cassandra-config", HB_OPTION_SETTING, "KEY=VALUE", NULL, "a setting of the connection to Cassandra"           \
    }

/* Prints "hubbub: text" for an error and returns its exit code: 2 for HB_ERROR_USAGE, else 1. */
int hb_exit_code(const hb_error *error);

#endif
