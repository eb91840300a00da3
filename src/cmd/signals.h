/* signals.h - how a command that runs until told to stop learns that it is told: Ctrl-C, a service's stop, SIGHUP. */
#ifndef HB_CMD_SIGNALS_H
#define HB_CMD_SIGNALS_H

/* Keeps SIGINT, SIGTERM and SIGHUP from ending the process; to be called before any thread starts, so that all threads
 * inherit it. */
void hb_signals_block(void);

/* Waits for one of them, at most wait_ms (-1: for ever). Returns SIGINT, SIGTERM or SIGHUP, or 0 when time was up.
 * After a SIGINT or SIGTERM the next one of these ends the process at once: a stop that hangs can still be broken off.
 */
int hb_signals_wait(int wait_ms);

#endif
