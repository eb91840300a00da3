/* test_recorder.c - what is put into a recorder is in the log, or counted as dropped. */
#include "scratch.h"
#include "unit.h"

#include "base/clock.h"
#include "base/say.h"
#include "log/recorder.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

static char directory[SCRATCH_NAME];

static int make_directory(void **state)
{
    (void)state;
    return scratch_make(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return scratch_remove(directory) ? 0 : -1;
}

static bool put(hb_recorder *recorder, int64_t time_ms, int number)
{
    char line[256];
    const int size = snprintf(line, sizeof line,
                              "@id=%d;tmi-sent-ts=%lld;user-id=7 :ann!ann@ann.tmi.twitch.tv PRIVMSG #xqc :said %d",
                              number, (long long)time_ms, number);
    return hb_recorder_put(recorder, (hb_bytes){line, (size_t)size}, time_ms + 3);
}

/* All lines of the log, hour by hour. */
static size_t lines_in_log(void)
{
    hb_error error = {0};
    hb_log_piece piece;
    size_t count = 0;
    hb_log *log = hb_log_open(directory, HB_LOG_READ, NULL, &error);
    hb_log_follower *follower = hb_log_follower_open(log, HB_LOG_FROM_START, NULL, 0, &error);
    do {
        assert_true(hb_log_follower_read(follower, &piece, &error));
        for (size_t i = 0; i < piece.lines.size; i++)
            count += piece.lines.data[i] == '\n';
    } while (piece.lines.size > 0);
    hb_log_follower_close(follower);
    hb_log_close(log, &error);
    return count;
}

static int64_t metric(hb_metrics *metrics, const char *name)
{
    return hb_metric_get(hb_metrics_counter(metrics, name, ""));
}

static void lines_are_in_the_log_within_moments(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_metrics *metrics = hb_metrics_open();
    hb_recorder *recorder = hb_recorder_open(directory, 1 << 20, metrics, &error);
    assert_non_null(recorder);
    for (int i = 0; i < 100; i++)
        assert_true(put(recorder, hb_now_ms(), i));
    assert_true(hb_recorder_put(recorder, HB_BYTES("PING :tmi.twitch.tv"), hb_now_ms()));
    const int64_t from_ms = hb_monotonic_ms();
    while (lines_in_log() < 100 && hb_monotonic_ms() - from_ms < 5000)
        poll(NULL, 0, 5);
    assert_int_equal(lines_in_log(), 100);
    assert_true(hb_monotonic_ms() - from_ms < 2000); /* 50 ms on a machine that is not busy */
    assert_int_equal(metric(metrics, "hubbub_log_facts_total"), 100);
    for (int i = 0; i < 5000; i++)
        assert_true(put(recorder, hb_now_ms(), i));
    assert_true(hb_recorder_close(recorder, &error));
    assert_int_equal(lines_in_log(), 5100);
    assert_int_equal(metric(metrics, "hubbub_log_facts_total"), 5100);
    assert_int_equal(metric(metrics, "hubbub_facts_dropped_total"), 0);
    hb_metrics_close(metrics);
}

static void a_second_recorder_is_refused(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_recorder *recorder = hb_recorder_open(directory, 1 << 20, NULL, &error);
    assert_non_null(recorder);
    assert_null(hb_recorder_open(directory, 1 << 20, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_BUSY);
    assert_non_null(strstr(error.text, directory));
    assert_true(hb_recorder_close(recorder, &error));
    recorder = hb_recorder_open(directory, 1 << 20, NULL, &error);
    assert_non_null(recorder);
    assert_true(hb_recorder_close(recorder, &error));
    assert_null(hb_recorder_open("/proc/hubbub", 1 << 20, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_SYSTEM);
}

typedef struct producer {
    hb_recorder *recorder;
    int taken;
} producer;

static void *produce(void *context)
{
    producer *self = context;
    for (int i = 0; i < 20000; i++)
        self->taken += put(self->recorder, hb_now_ms(), i);
    return NULL;
}

static void what_does_not_fit_is_counted_and_nothing_else_is_missing(void **state)
{
    (void)state;
    enum { THREADS = 3 };
    hb_error error = {0};
    hb_metrics *metrics = hb_metrics_open();
    hb_recorder *recorder = hb_recorder_open(directory, 32 * 1024, metrics, &error);
    producer producers[THREADS];
    pthread_t threads[THREADS];
    int taken = 0;
    for (int i = 0; i < THREADS; i++) {
        producers[i] = (producer){recorder, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        taken += producers[i].taken;
    }
    assert_true(hb_recorder_close(recorder, &error));
    assert_true(taken < THREADS * 20000);
    assert_int_equal(lines_in_log(), taken);
    assert_int_equal(metric(metrics, "hubbub_facts_dropped_total"), THREADS * 20000 - taken);
    hb_metrics_close(metrics);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_sat_out(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    hb_error error = {0};
    hb_metrics *metrics = hb_metrics_open();
    hb_recorder *recorder = hb_recorder_open(directory, 1 << 20, metrics, &error);
    limit_files(5000);
    for (int i = 0; i < 2000; i++)
        assert_true(put(recorder, hb_now_ms(), i));
    const int64_t from_ms = hb_monotonic_ms();
    while (metric(metrics, "hubbub_log_errors_total") < 2 && hb_monotonic_ms() - from_ms < 5000)
        poll(NULL, 0, 10);
    assert_true(metric(metrics, "hubbub_log_errors_total") >= 2);
    assert_true(lines_in_log() < 2000);
    limit_files(RLIM_INFINITY);
    while (lines_in_log() < 2000 && hb_monotonic_ms() - from_ms < 10000)
        poll(NULL, 0, 10);
    assert_int_equal(lines_in_log(), 2000);
    assert_true(hb_recorder_close(recorder, &error));

    recorder = hb_recorder_open(directory, 1 << 20, metrics, &error);
    limit_files(5000);
    for (int i = 0; i < 50; i++)
        assert_true(put(recorder, hb_now_ms(), i));
    assert_false(hb_recorder_close(recorder, &error)); /* still full: says how many are lost */
    assert_non_null(strstr(error.text, "50 facts"));
    limit_files(RLIM_INFINITY);
    assert_int_equal(lines_in_log(), 2000);
    hb_metrics_close(metrics);
    signal(SIGXFSZ, SIG_DFL);
}

int main(void)
{
    hb_say_up_to(HB_SAY_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_in_the_log_within_moments, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_second_recorder_is_refused, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_counted_and_nothing_else_is_missing, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_full_disk_is_sat_out, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
