/* on_spark.h - hubbub batch and hubbub process on a Spark cluster: submits the jobs of spark/ and waits for their end.
 *
 * Spark is found by SPARK_HOME, or by spark-submit in PATH; the jobs' jar by HUBBUB_SPARK_JAR, or where building and
 * installing put it. Log and store go to the job in its environment, not on its command line, which everybody on the
 * machine can read: their settings may be passwords. */
#ifndef HB_CMD_ON_SPARK_H
#define HB_CMD_ON_SPARK_H

#include "cmd/options.h"

#define HB_OPTIONS_ON_SPARK                                                                                            \
    {"on", HB_OPTION_TEXT, "spark://HOST:PORT", NULL, "have this Spark cluster do it"},                                \
    {                                                                                                                  \
        "spark-config", HB_OPTION_SETTING, "KEY=VALUE", NULL,                                                          \
            "a setting of Spark, with --on: spark.executor.memory=4g"                                                  \
    }

/* A "--name value" of the job; value NULL: not given. */
typedef struct hb_spark_argument {
    const char *name;
    const char *value;
} hb_spark_argument;

/* Values of arguments. text: room for 32 bytes; it comes back. */
const char *hb_spark_number(int64_t number, char *text);
const char *hb_spark_top(uint32_t top, char *text); /* of --top: 0 means all */

/* A folder's path such that it means the same wherever the job runs; URLs (hdfs://…) stay. The caller's, to be freed
 * with free(). */
char *hb_spark_folder(const char *path);

/* What to do beside the job, about every half minute; it may take its time. */
typedef struct hb_spark_beside {
    void (*look)(void *context);
    void *context;
} hb_spark_beside;

/* Submits the job ("batch", "process") to --on and waits until it ends, or has it end when told to stop. Signals must
 * be blocked (hb_signals_block). beside may be NULL. *stopped tells that it was told to. False: HB_ERROR_USAGE,
 * HB_ERROR_MISSING (no Spark, no jar, no Java), HB_ERROR_SYSTEM; HB_ERROR_NONE: the job failed, and has said why. */
bool hb_on_spark(const hb_options *options, const char *job, const hb_spark_argument *arguments, size_t count,
                 const hb_spark_beside *beside, bool *stopped, hb_error *error);

#endif
