/* log_file.h - what the files that make up the file log share. Not a door: other rooms include log/log.h. */
#ifndef HB_LOG_LOG_FILE_H
#define HB_LOG_LOG_FILE_H

#include "base/map.h"
#include "log/frames.h"
#include "log/log.h"

#include <signal.h>

enum {
    HB_LOG_CLOSE_AFTER_S = 300,      /* an hour is compressed this long after its end */
    HB_LOG_BUFFER_BYTES = 64 << 20,  /* accepted lines that wait for the operating system, at most */
    HB_LOG_BUFFER_HOURS = 16 * 1024, /* hours that they belong to, at most */
    HB_LOG_TOUCHED = 64,
    HB_LOG_NAME = 40 /* room for a file's name */
};

/* ---- Names ---- */

typedef enum hb_log_form {
    HB_LOG_PLAIN,      /* 2026-11-24T13.irc */
    HB_LOG_CLOSED,     /* 2026-11-24T13.irc.zst */
    HB_LOG_UNFINISHED, /* 2026-11-24T13.irc.zst.new: being compressed, or left over from that */
    HB_LOG_INDEX, /* 2026-11-24T13.index: which frames hold what (hour_index.h); of use only beside HB_LOG_CLOSED */
    HB_LOG_INDEX_UNFINISHED /* 2026-11-24T13.index.new */
} hb_log_form;

void hb_log_name(int64_t hour, hb_log_form form, char out[HB_LOG_NAME]);

/* Reads a file's name; false when it belongs to something else. */
bool hb_log_name_read(const char *name, int64_t *hour, hb_log_form *form);

/* ---- The handle ---- */

typedef struct hb_log_hour { /* lines that wait for the operating system */
    int64_t hour;
    hb_buffer lines;
} hb_log_hour;

struct hb_log {
    struct hb_kafka_log *kafka; /* NULL: this is a file log, and all below is set */
    char *directory;            /* as asked for: for messages */
    int folder;
    hb_log_mode mode;
    int watch; /* inotify, for hb_log_wait; -1 */
    bool watching;

    /* Appending. The lock is a file of its own: it outlives every hour. */
    int lock;
    sigset_t unlocked_signals;
    hb_log_hour *hours;
    size_t hour_count;
    size_t hour_capacity;
    hb_map hour_index;               /* by hour */
    size_t last;                     /* the hour appended to last: most lines go to the same one */
    uint64_t buffered;               /* bytes in all hours */
    int64_t touched[HB_LOG_TOUCHED]; /* hours written since the last sync */
    size_t touched_count;
    bool touched_more;   /* more than these: the whole file system is synced instead */
    bool folder_touched; /* a file was made */
    bool refused;        /* the last write failed: hb_log_append leaves trying again to hb_log_flush */
    hb_buffer line;      /* the line being appended, in the form in which it is kept */
    hb_frame_maker *maker;
    hb_metric *facts;
    hb_metric *bytes;
    hb_metric *errors;
};

/* Takes and gives back the lock of the directory. Stopping from the terminal (Ctrl-Z) waits meanwhile: the others who
 * append would stop with us. */
bool hb_log_lock(hb_log *log, hb_error *error);
void hb_log_unlock(hb_log *log);

bool hb_log_exists(const hb_log *log, int64_t hour, hb_log_form form);

/* Opens an hour's file: -1 and errno. */
int hb_log_open_hour(const hb_log *log, int64_t hour, hb_log_form form, int flags);

/* Writes all of data where the file stands. False and errno: not all of it. */
bool hb_log_write_whole(int file, hb_bytes data);

/* Cuts a torn last line or frame off, and says so. The lock must be held, file be open for reading and writing.
 * *size: of the file afterwards; *lines_end: bytes of lines in it. False: HB_ERROR_SYSTEM. */
bool hb_log_mend(const hb_log *log, int file, int64_t hour, hb_log_form form, uint64_t *size, uint64_t *lines_end,
                 hb_error *error);

uint64_t hb_log_count_lines(hb_bytes lines);

/* Frees what appending uses. */
void hb_log_free_hours(hb_log *log);

/* An inotify descriptor for the directory, or -1. */
int hb_log_watch_open(const hb_log *log);

/* Waits up to wait_ms for the descriptor, or sleeps briefly where there is none. */
void hb_log_watch_wait(int watch, int wait_ms);

#endif
