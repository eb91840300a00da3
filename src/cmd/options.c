/* options.c - one parser for all subcommands, driven by their tables.
 *
 * Every option's value is kept as text with its parsed form beside it; both are made once, before the command runs. */
#include "cmd/options.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/say.h"
#include "cmd/dotenv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct option_value {
    const char *text; /* NULL when unset */
    bool given;
    uint64_t number; /* also: a flag's 0 or 1, bytes, a port */
    int64_t time_s;
    double real;
    char *host;
    hb_buffer settings; /* each with a NUL behind */
} option_value;

struct hb_options {
    const hb_command *command;
    option_value *values; /* one for each of the command's options */
    const char **arguments;
    size_t argument_count;
    hb_dotenv dotenv;
    char *log;
    char *store;
};

/* ---- Values ---- */

static bool parse_size(hb_bytes text, uint64_t *size)
{
    static const char units[] = "KMGT";
    uint64_t factor = 1;
    const char *unit = text.size > 1 ? strchr(units, text.data[text.size - 1] & ~0x20) : NULL;
    if (unit != NULL && *unit != '\0') {
        factor = (uint64_t)1 << (10 * (unit - units + 1));
        text.size--;
    }
    return hb_bytes_to_u64(text, size) && !__builtin_mul_overflow(*size, factor, size);
}

static bool parse_address(hb_bytes text, option_value *value)
{
    const char *colon = memrchr(text.data, ':', text.size);
    if (colon == NULL)
        return false;
    hb_bytes host = {text.data, (size_t)(colon - text.data)};
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = (hb_bytes){host.data + 1, host.size - 2};
    if (!hb_bytes_to_u64(hb_bytes_from(text, (size_t)(colon - text.data) + 1), &value->number) ||
        value->number > UINT16_MAX)
        return false;
    free(value->host);
    value->host = hb_copy_text(host);
    return true;
}

static bool parse_value(const hb_option *option, const char *text, option_value *value)
{
    const hb_bytes bytes = hb_bytes_of(text);
    char *end = NULL;
    value->text = text;
    switch (option->kind) {
    case HB_OPTION_FLAG:
        value->number =
            bytes.size > 0 && strcmp(text, "0") != 0 && strcmp(text, "false") != 0 && strcmp(text, "no") != 0;
        return true;
    case HB_OPTION_TEXT:
        return true;
    case HB_OPTION_NUMBER:
        return hb_bytes_to_u64(bytes, &value->number);
    case HB_OPTION_REAL:
        value->real = strtod(text, &end);
        return bytes.size > 0 && *end == '\0' && isfinite(value->real) && value->real >= 0;
    case HB_OPTION_SIZE:
        return parse_size(bytes, &value->number);
    case HB_OPTION_TIME:
        return hb_time_parse(bytes, hb_now_ms() / 1000, &value->time_s);
    case HB_OPTION_ADDRESS:
        return parse_address(bytes, value);
    case HB_OPTION_SETTING:
        hb_buffer_append(&value->settings, (hb_bytes){text, bytes.size + 1});
        return bytes.size > 0 && text[0] != '=' && strchr(text, '=') != NULL;
    case HB_OPTION_LIST:
        hb_buffer_append(&value->settings, (hb_bytes){text, bytes.size + 1});
        return bytes.size > 0;
    }
    return false;
}

static const char *expected(hb_option_kind kind)
{
    switch (kind) {
    case HB_OPTION_NUMBER:
        return "a whole number";
    case HB_OPTION_REAL:
        return "a number";
    case HB_OPTION_SIZE:
        return "a size such as 512M or 1G";
    case HB_OPTION_TIME:
        return "a time such as 2026-11-24T13:00Z, -6h or 1764000000";
    case HB_OPTION_ADDRESS:
        return "HOST:PORT";
    case HB_OPTION_SETTING:
        return "KEY=VALUE";
    case HB_OPTION_LIST:
        return "one or more, with commas between";
    case HB_OPTION_FLAG:
    case HB_OPTION_TEXT:
        break;
    }
    return "something else";
}

/* ---- Where values come from ---- */

static bool set(hb_options *options, size_t index, const char *text, const char *origin, hb_error *error)
{
    const hb_option *option = &options->command->options[index];
    if (!parse_value(option, text, &options->values[index]))
        return hb_fail(error, HB_ERROR_USAGE, "%s%s is '%s', but must be %s", origin, option->name, text,
                       expected(option->kind));
    return true;
}

/* HUBBUB_CHANNELS_FILE for channels-file */
static const char *from_environment(const hb_options *options, const char *name)
{
    char variable[64] = "HUBBUB_";
    size_t used = strlen(variable);
    for (; *name != '\0' && used < sizeof variable - 1; name++)
        variable[used++] = (char)(*name == '-' ? '_' : *name >= 'a' && *name <= 'z' ? *name - 32 : *name);
    return hb_options_environment(options, variable);
}

/* Sets each of the settings that stand in one variable. */
static bool set_each(hb_options *options, size_t index, const char *texts, hb_error *error)
{
    bool good = true;
    char *const copy = hb_copy_text(hb_bytes_of(texts));
    char *rest = copy;
    for (char *text; good && (text = strsep(&rest, " \t\n")) != NULL;)
        good = *text == '\0' || set(options, index, text, "the environment's ", error);
    free(copy);
    options->values[index].text = NULL; /* it pointed to the copy */
    return good;
}

static bool set_defaults(hb_options *options, hb_error *error)
{
    for (size_t i = 0; options->command->options[i].name != NULL; i++) {
        const hb_option *option = &options->command->options[i];
        const char *text = from_environment(options, option->name);
        options->values[i].given = text != NULL;
        if (text != NULL && (option->kind == HB_OPTION_SETTING || option->kind == HB_OPTION_LIST)) {
            if (!set_each(options, i, text, error))
                return false;
            continue;
        }
        if (text == NULL)
            text = option->fallback;
        if (text != NULL && !set(options, i, text, options->values[i].given ? "the environment's " : "", error))
            return false;
    }
    return true;
}

static bool find_option(const hb_command *command, hb_bytes name, size_t *index)
{
    for (size_t i = 0; command->options[i].name != NULL; i++)
        if (hb_bytes_equal(hb_bytes_of(command->options[i].name), name)) {
            *index = i;
            return true;
        }
    return false;
}

/* Takes one "--name", "--name=value" or "--name value"; *next is the argument behind it. */
static bool take_option(hb_options *options, int argc, char **argv, int *next, hb_error *error)
{
    hb_bytes rest = hb_bytes_of(argv[*next] + 2);
    hb_bytes name = {rest.data, 0};
    const bool with_value = memchr(rest.data, '=', rest.size) != NULL;
    size_t index = 0;
    hb_bytes_cut(&rest, '=', &name);
    if (!find_option(options->command, name, &index))
        return hb_fail(error, HB_ERROR_USAGE, "there is no option --%.*s; 'hubbub %s --help' lists them",
                       HB_PRINT(name), options->command->name);
    const char *text = rest.data;
    (*next)++;
    if (!with_value && options->command->options[index].kind == HB_OPTION_FLAG)
        text = "1";
    else if (!with_value && *next >= argc)
        return hb_fail(error, HB_ERROR_USAGE, "--%s needs a value: %s", options->command->options[index].name,
                       options->command->options[index].argument);
    else if (!with_value)
        text = argv[(*next)++];
    options->values[index].given = true;
    return set(options, index, text, "--", error);
}

static bool take_arguments(hb_options *options, int argc, char **argv, hb_error *error)
{
    const hb_command *command = options->command;
    bool only_arguments = false;
    for (int next = 0; next < argc;) {
        if (!only_arguments && strcmp(argv[next], "--") == 0) {
            only_arguments = true;
            next++;
        } else if (!only_arguments && strncmp(argv[next], "--", 2) == 0) {
            if (!take_option(options, argc, argv, &next, error))
                return false;
        } else if (!only_arguments && argv[next][0] == '-' && argv[next][1] != '\0') {
            return hb_fail(error, HB_ERROR_USAGE, "there is no option %s; 'hubbub %s --help' lists them", argv[next],
                           command->name);
        } else if (command->arguments_max >= 0 && options->argument_count == (size_t)command->arguments_max) {
            return hb_fail(error, HB_ERROR_USAGE, "'%s' is one argument too many for 'hubbub %s %s'", argv[next],
                           command->name, command->arguments);
        } else {
            options->arguments[options->argument_count++] = argv[next++];
        }
    }
    return true;
}

/* ---- Help ---- */

static void print_help(const hb_command *command)
{
    printf("hubbub %s%s%s [options]\n\n%s\n", command->name, command->arguments[0] == '\0' ? "" : " ",
           command->arguments, command->summary);
    if (command->options[0].name != NULL)
        printf("\nOptions, each also as HUBBUB_NAME in the environment or in ./.env:\n");
    for (const hb_option *option = command->options; option->name != NULL; option++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", option->name, option->kind == HB_OPTION_FLAG ? "" : option->argument);
        printf("  %-28s %s", left, option->help);
        if (option->fallback != NULL && option->kind != HB_OPTION_FLAG)
            printf(" (default: %s)", option->fallback);
        printf("\n");
    }
}

/* ---- The door ---- */

static void options_close(hb_options *options)
{
    for (size_t i = 0; options->command->options[i].name != NULL; i++) {
        free(options->values[i].host);
        hb_buffer_free(&options->values[i].settings);
    }
    hb_buffer_free(&options->dotenv.text);
    free(options->values);
    free((void *)options->arguments);
    free(options->log);
    free(options->store);
}

int hb_options_run(const hb_command *command, int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command);
            return 0;
        }
    size_t count = 0;
    while (command->options[count].name != NULL)
        count++;
    hb_options options = {.command = command};
    options.values = hb_alloc(count * sizeof *options.values);
    options.arguments = hb_alloc((size_t)argc * sizeof *options.arguments);
    hb_error error = {0};
    int code = 0;
    if (!hb_dotenv_read(".env", &options.dotenv, &error) || !set_defaults(&options, &error) ||
        !take_arguments(&options, argc, argv, &error))
        code = hb_exit_code(&error);
    else
        code = command->run(&options);
    options_close(&options);
    return code;
}

static const option_value *value_of(const hb_options *options, const char *name)
{
    size_t index = 0;
    if (!find_option(options->command, hb_bytes_of(name), &index)) {
        hb_say_error("bug: 'hubbub %s' reads an option --%s that it does not have", options->command->name, name);
        abort();
    }
    return &options->values[index];
}

bool hb_options_given(const hb_options *options, const char *name)
{
    return value_of(options, name)->given;
}

bool hb_options_flag(const hb_options *options, const char *name)
{
    return value_of(options, name)->number != 0;
}

const char *hb_options_text(const hb_options *options, const char *name)
{
    return value_of(options, name)->text;
}

uint64_t hb_options_number(const hb_options *options, const char *name)
{
    return value_of(options, name)->number;
}

double hb_options_real(const hb_options *options, const char *name)
{
    return value_of(options, name)->real;
}

int64_t hb_options_time(const hb_options *options, const char *name)
{
    return value_of(options, name)->time_s;
}

bool hb_options_address(const hb_options *options, const char *name, const char **host, uint16_t *port)
{
    const option_value *value = value_of(options, name);
    *host = value->host;
    *port = (uint16_t)value->number;
    return value->text != NULL;
}

const char *hb_options_next_setting(const hb_options *options, const char *name, size_t *at)
{
    const hb_buffer *const settings = &value_of(options, name)->settings;
    if (*at >= settings->size)
        return NULL;
    const char *const setting = settings->data + *at;
    *at += strlen(setting) + 1;
    return setting;
}

size_t hb_options_argument_count(const hb_options *options)
{
    return options->argument_count;
}

const char *hb_options_argument(const hb_options *options, size_t index)
{
    return options->arguments[index];
}

const char *hb_options_environment(const hb_options *options, const char *name)
{
    const char *text = getenv(name);
    if (text == NULL || *text == '\0')
        text = hb_dotenv_get(&options->dotenv, name);
    return text == NULL || *text == '\0' ? NULL : text;
}

/* An address of a service, with its settings behind. That they are KEY=VALUE was checked when they were parsed. */
static void print_address(const hb_options *options, const char *text, const char *settings_name, hb_buffer *out)
{
    size_t at = 0;
    hb_error unimportant = {0};
    hb_buffer_append(out, hb_bytes_of(text));
    for (const char *setting; (setting = hb_options_next_setting(options, settings_name, &at)) != NULL;)
        hb_address_add(out, hb_bytes_of(setting), &unimportant);
}

typedef struct place {
    const char *name;
    const char *below_data;
    const char *scheme; /* of the service that may take its place */
    const char *settings;
} place;

static const char *find_place(const hb_options *options, const place *where, char **kept)
{
    const char *text = hb_options_text(options, where->name);
    const bool service = text != NULL && hb_address_is(text, where->scheme);
    if (text != NULL && !service)
        return text;
    if (*kept == NULL) {
        hb_buffer path = {0};
        if (service)
            print_address(options, text, where->settings, &path);
        else
            hb_buffer_print(&path, "%s/%s", hb_options_text(options, "data"), where->below_data);
        *kept = hb_copy_text(hb_buffer_bytes(&path));
        hb_buffer_free(&path);
    }
    return *kept;
}

/* The two places are put together when first asked for; that is all that changes in options once a command runs. */
const char *hb_options_log(const hb_options *options)
{
    return find_place(options, &(place){"log", "log", "kafka", "kafka-config"}, &((hb_options *)options)->log);
}

const char *hb_options_store(const hb_options *options)
{
    return find_place(options, &(place){"store", "hubbub.db", "cassandra", "cassandra-config"},
                      &((hb_options *)options)->store);
}

int hb_exit_code(const hb_error *error)
{
    hb_say_error("%s", error->text);
    return error->code == HB_ERROR_USAGE ? 2 : 1;
}
