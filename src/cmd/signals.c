/* signals.c - signals are taken by waiting for them (sigtimedwait), never in a handler: what a command does on a stop
 * is ordinary code in an ordinary thread. */
#include "cmd/signals.h"

#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static void set_of(sigset_t *set, bool with_hangup)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    if (with_hangup)
        sigaddset(set, SIGHUP);
}

void hb_signals_block(void)
{
    sigset_t set;
    set_of(&set, true);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int hb_signals_wait(int wait_ms)
{
    sigset_t set;
    set_of(&set, true);
    const int64_t end_ms = hb_monotonic_ms() + wait_ms;
    int number = -1;
    do { /* again when another signal, or a debugger, interrupted the waiting */
        const int64_t left_ms = wait_ms < 0 ? 1000 : end_ms - hb_monotonic_ms();
        const struct timespec left = {left_ms < 0 ? 0 : left_ms / 1000, left_ms < 0 ? 0 : left_ms % 1000 * 1000000};
        number = sigtimedwait(&set, NULL, &left);
    } while (number < 0 && (wait_ms < 0 || hb_monotonic_ms() < end_ms));
    if (number < 0)
        return 0;
    if (number != SIGHUP) {
        set_of(&set, false);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    }
    return number;
}
