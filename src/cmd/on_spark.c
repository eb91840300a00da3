/* on_spark.c - a spark-submit line that nobody has to remember.
 *
 * Spark's start scripts are used where there are any. Where SPARK_HOME holds only the jars (deploy/local/cluster gets
 * them from Maven), Java is started on them as the scripts would do it. Either way the driver program runs here, as a
 * child of this process: it writes to the same terminal, and ends with it. */
#include "cmd/on_spark.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/say.h"
#include "cmd/signals.h"
#include "views/top.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_MS = 100, /* how often to ask whether the job has ended */
    BESIDE_MS = 30 * 1000
};

/* Java only moves bytes here, the counting is C: what its second compiler would gain, compiling costs. Two million
 * facts took two executors 46 s of processor time with this, 60 s without; later micro-batches took as long either way.
 */
static const char quick_java[] = "-XX:TieredStopAtLevel=1";

/* What Spark needs of Java's inside; its scripts get it from org.apache.spark.launcher.JavaModuleOptions. */
static const char *const opened_packages[] = {"java.base/java.lang",
                                              "java.base/java.lang.invoke",
                                              "java.base/java.lang.reflect",
                                              "java.base/java.io",
                                              "java.base/java.net",
                                              "java.base/java.nio",
                                              "java.base/java.util",
                                              "java.base/java.util.concurrent",
                                              "java.base/java.util.concurrent.atomic",
                                              "java.base/sun.nio.ch",
                                              "java.base/sun.nio.cs",
                                              "java.base/sun.security.action",
                                              "java.base/sun.util.calendar",
                                              "java.security.jgss/sun.security.krb5"};

typedef struct submission {
    hb_buffer texts; /* of the words below, each with its NUL; may move while words are added */
    size_t *words;   /* where each begins */
    size_t count;
    size_t capacity;
    char *jar;
    char *library; /* the folder of jars beside it */
    char *logging; /* the option of Java that says how much Spark is to tell: by a file beside the jar */
} submission;

static void free_submission(submission *line)
{
    hb_buffer_free(&line->texts);
    free(line->words);
    free(line->jar);
    free(line->library);
    free(line->logging);
}

static void add_word(submission *line, const char *word)
{
    HB_RESERVE(line->words, line->capacity, line->count + 1);
    line->words[line->count++] = line->texts.size;
    hb_buffer_append(&line->texts, (hb_bytes){word, strlen(word) + 1});
}

static void add_two(submission *line, const char *name, const char *value)
{
    add_word(line, name);
    add_word(line, value);
}

/* A text put together of parts, up to NULL; the caller's. */
static char *join(const char *first, ...)
{
    hb_buffer text = {0};
    va_list more;
    va_start(more, first);
    for (const char *part = first; part != NULL; part = va_arg(more, const char *))
        hb_buffer_append(&text, hb_bytes_of(part));
    va_end(more);
    hb_buffer_append_char(&text, '\0');
    return text.data;
}

/* ---- Finding things ---- */

/* The jar, if it is there under this name; the caller's. */
static char *jar_at(const char *folder, const char *name)
{
    char *path = join(folder, "/", name, NULL);
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static bool find_jar(const hb_options *options, submission *line, hb_error *error)
{
    const char *const told = hb_options_environment(options, "HUBBUB_SPARK_JAR");
    char here[PATH_MAX] = "";
    const ssize_t size = readlink("/proc/self/exe", here, sizeof here - 1);
    here[size < 0 ? 0 : size] = '\0';
    char *const slash = strrchr(here, '/');
    if (slash != NULL)
        *slash = '\0';
    if (told != NULL)
        line->jar = access(told, R_OK) == 0 ? hb_copy_text(hb_bytes_of(told)) : NULL;
    else if ((line->jar = jar_at(here, "spark/hubbub-spark.jar")) == NULL)
        line->jar = jar_at(here, "../share/hubbub/spark/hubbub-spark.jar");
    if (line->jar == NULL)
        return hb_fail(error, HB_ERROR_MISSING,
                       "the jar of the Spark jobs is not %s%s; build it with ninja -C BUILD spark/hubbub-spark.jar, or "
                       "say where it is in HUBBUB_SPARK_JAR",
                       told != NULL ? "at " : "beside this program", told != NULL ? told : "");
    hb_bytes folder = hb_bytes_of(line->jar);
    while (folder.size > 0 && folder.data[folder.size - 1] != '/')
        folder.size--;
    char *const copy = hb_copy_text(folder);
    line->library = join(copy, "lib", NULL);
    line->logging = join("-Dlog4j2.configurationFile=", copy, "log4j2.properties", NULL);
    free(copy);
    return true;
}

/* The library's jars, with commas between; the caller's. NULL and *error. */
static char *list_library(const submission *line, hb_error *error)
{
    hb_buffer list = {0};
    DIR *folder = opendir(line->library);
    if (folder == NULL) {
        hb_fail_errno(error, "%s, where the jars are that the Spark jobs need, cannot be read", line->library);
        return NULL;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const hb_bytes name = hb_bytes_of(entry->d_name);
        if (name.size > 4 && hb_bytes_equal(hb_bytes_from(name, name.size - 4), HB_BYTES(".jar")))
            hb_buffer_print(&list, "%s%s/%s", list.size > 0 ? "," : "", line->library, entry->d_name);
    }
    closedir(folder);
    hb_buffer_append_char(&list, '\0');
    return list.data;
}

static bool in_path(const char *name)
{
    const char *const folders = getenv("PATH");
    hb_bytes rest = hb_bytes_of(folders == NULL ? "" : folders);
    hb_bytes folder;
    bool found = false;
    while (!found && hb_bytes_cut(&rest, ':', &folder)) {
        char *const copy = hb_copy_text(folder);
        char *const path = join(copy, "/", name, NULL);
        found = access(path, X_OK) == 0;
        free(path);
        free(copy);
    }
    return found;
}

/* Spark's jars with Java itself: what the script would do. */
static void begin_with_java(submission *line, const char *home)
{
    const char *const java_home = getenv("JAVA_HOME");
    char *const java = java_home == NULL ? join("java", NULL) : join(java_home, "/bin/java", NULL);
    char *const classes = join(home, "/conf:", home, "/jars/*", NULL);
    add_word(line, java);
    for (size_t i = 0; i < sizeof opened_packages / sizeof *opened_packages; i++) {
        char *const open = join("--add-opens=", opened_packages[i], "=ALL-UNNAMED", NULL);
        add_word(line, open);
        free(open);
    }
    add_word(line, "-Xmx1g");
    add_word(line, quick_java);
    add_word(line, line->logging);
    add_two(line, "-cp", classes);
    add_word(line, "org.apache.spark.deploy.SparkSubmit");
    free(classes);
    free(java);
}

static bool begin(submission *line, hb_error *error)
{
    const char *const home = getenv("SPARK_HOME");
    char *script = home == NULL ? join("spark-submit", NULL) : join(home, "/bin/spark-submit", NULL);
    char *jars = home == NULL ? NULL : join(home, "/jars", NULL);
    const bool scripted = home == NULL ? in_path(script) : access(script, X_OK) == 0;
    const bool found = scripted || (jars != NULL && access(jars, R_OK) == 0);
    if (scripted) {
        add_word(line, script);
        char *const both = join(quick_java, " ", line->logging, NULL);
        add_two(line, "--driver-java-options", both);
        free(both);
    } else if (found) {
        begin_with_java(line, home);
    } else if (home == NULL) {
        hb_fail(error, HB_ERROR_MISSING,
                "Spark is not found: there is no spark-submit in PATH, and SPARK_HOME is not set");
    } else {
        hb_fail(error, HB_ERROR_MISSING,
                "Spark is not found: SPARK_HOME is %s, which has neither bin/spark-submit nor jars", home);
    }
    free(jars);
    free(script);
    return found;
}

/* ---- The line ---- */

static bool is_master(const char *on)
{
    const hb_bytes text = hb_bytes_of(on);
    return hb_bytes_start_with(text, HB_BYTES("spark://")) || hb_bytes_equal(text, HB_BYTES("local")) ||
           hb_bytes_start_with(text, HB_BYTES("local["));
}

/* A cluster on this machine's loopback must find the driver there, too. */
static bool is_on_loopback(const char *on)
{
    const hb_bytes text = hb_bytes_of(on);
    return hb_bytes_start_with(text, HB_BYTES("spark://127.")) ||
           hb_bytes_start_with(text, HB_BYTES("spark://localhost"));
}

static void add_settings(submission *line, const hb_options *options, const char *on)
{
    char *const quick = join("spark.executor.extraJavaOptions=", quick_java, NULL);
    add_two(line, "--conf", quick);
    free(quick);
    add_two(line, "--conf", "spark.ui.enabled=false"); /* it would listen to everybody */
    if (is_on_loopback(on)) {
        add_two(line, "--conf", "spark.driver.host=127.0.0.1");
        add_two(line, "--conf", "spark.driver.bindAddress=127.0.0.1");
    }
    size_t at = 0;
    for (const char *setting; (setting = hb_options_next_setting(options, "spark-config", &at)) != NULL;)
        add_two(line, "--conf", setting);
}

static bool put_together(submission *line, const hb_options *options, const char *job,
                         const hb_spark_argument *arguments, size_t count, hb_error *error)
{
    const char *const on = hb_options_text(options, "on");
    if (!hb_address_is(hb_options_store(options), "cassandra"))
        return hb_fail(error, HB_ERROR_USAGE, "with --on, counts go to Cassandra: --store cassandra://HOST/KEYSPACE");
    if (!is_master(on))
        return hb_fail(error, HB_ERROR_USAGE, "--on %s makes no sense: spark://HOST:PORT, or local[N] to try it out",
                       on);
    if (!find_jar(options, line, error) || !begin(line, error))
        return false;
    char *const library = list_library(line, error);
    if (library == NULL)
        return false;
    add_two(line, "--master", on);
    add_two(line, "--name", job);
    add_two(line, "--class", "hubbub.spark.Main");
    add_two(line, "--jars", library);
    add_settings(line, options, on);
    add_word(line, line->jar);
    add_word(line, job);
    for (size_t i = 0; i < count; i++)
        if (arguments[i].value != NULL) {
            char *const name = join("--", arguments[i].name, NULL);
            add_two(line, name, arguments[i].value);
            free(name);
        }
    free(library);
    return true;
}

const char *hb_spark_number(int64_t number, char *text)
{
    snprintf(text, 32, "%lld", (long long)number);
    return text;
}

const char *hb_spark_top(uint32_t top, char *text)
{
    return hb_spark_number(top == HB_TOP_ALL ? 0 : top, text);
}

char *hb_spark_folder(const char *path)
{
    char here[PATH_MAX];
    if (path[0] == '/' || strstr(path, "://") != NULL || getcwd(here, sizeof here) == NULL)
        return hb_copy_text(hb_bytes_of(path));
    return join(here, "/", path, NULL);
}

/* ---- Running it ---- */

static void become(const submission *line, bool on_loopback, const char *log, const char *store)
{
    char **words = hb_alloc((line->count + 1) * sizeof *words);
    sigset_t none;
    for (size_t i = 0; i < line->count; i++)
        words[i] = line->texts.data + line->words[i];
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* should we be killed, the job goes too */
    if (on_loopback)
        setenv("SPARK_LOCAL_IP", "127.0.0.1", 0);
    setenv("HUBBUB_SPARK_LOG", log, 1);
    setenv("HUBBUB_SPARK_STORE", store, 1);
    execvp(words[0], words);
    hb_say_error("%s cannot be started: %s", words[0], strerror(errno));
    _exit(127);
}

static bool await(pid_t child, const hb_spark_beside *beside, bool *stopped, hb_error *error)
{
    int64_t next_ms = hb_monotonic_ms() + BESIDE_MS;
    int status = 0;
    pid_t ended = 0;
    *stopped = false;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0) {
        const int number = hb_signals_wait(LOOK_MS);
        if (number == SIGINT || number == SIGTERM) {
            *stopped = true;
            kill(child, SIGTERM);
        }
        if (beside != NULL && !*stopped && hb_monotonic_ms() >= next_ms) {
            beside->look(beside->context);
            next_ms = hb_monotonic_ms() + BESIDE_MS;
        }
    }
    if (ended < 0)
        return hb_fail_errno(error, "the job on Spark cannot be waited for");
    return *stopped || (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           hb_fail(error, HB_ERROR_NONE, "it has failed");
}

bool hb_on_spark(const hb_options *options, const char *job, const hb_spark_argument *arguments, size_t count,
                 const hb_spark_beside *beside, bool *stopped, hb_error *error)
{
    submission line = {0};
    bool good = put_together(&line, options, job, arguments, count, error);
    if (good) {
        char *const log = hb_spark_folder(hb_options_log(options));
        const pid_t child = fork();
        if (child == 0)
            become(&line, is_on_loopback(hb_options_text(options, "on")), log, hb_options_store(options));
        free(log);
        good = child < 0 ? hb_fail_errno(error, "a process for the job on Spark cannot be started")
                         : await(child, beside, stopped, error);
    }
    free_submission(&line);
    return good;
}
