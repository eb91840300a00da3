/* table_writer.h - a table of any length written to a file, row by row, as CSV, JSON lines or Parquet.
 *
 * Memory is bounded: rows are handed on in groups of some MiB. Times are milliseconds since 1970; CSV and JSON show
 * them as ISO 8601 in UTC, with milliseconds where a column says so. */
#ifndef HB_SERVE_TABLE_WRITER_H
#define HB_SERVE_TABLE_WRITER_H

#include "base/memory.h"

typedef enum hb_field_kind {
    HB_FIELD_TEXT, /* any bytes; what is not UTF-8 becomes U+FFFD */
    HB_FIELD_COUNT,
    HB_FIELD_REAL_TIME, /* with milliseconds */
    HB_FIELD_TIME,      /* whole seconds */
    HB_FIELD_BOOL
} hb_field_kind;

typedef struct hb_field {
    const char *name; /* a literal that needs no quotes */
    hb_field_kind kind;
} hb_field;

typedef union hb_field_value {
    hb_bytes text;
    uint64_t count;
    int64_t time_ms;
    bool truth;
} hb_field_value;

typedef enum hb_table_format { HB_TABLE_CSV, HB_TABLE_JSON, HB_TABLE_PARQUET } hb_table_format;
bool hb_table_format_parse(hb_bytes name, hb_table_format *format);

typedef struct hb_table_writer hb_table_writer;

/* Starts a table in an open descriptor, which stays the caller's. fields must outlive the writer. NULL and *error:
 * HB_ERROR_USAGE (this hubbub was built without Parquet), HB_ERROR_SYSTEM. */
hb_table_writer *hb_table_writer_open(int file, hb_table_format format, const hb_field *fields, size_t count,
                                      hb_error *error);

/* Adds a row: one value for each field; nothing in it need stay. False: HB_ERROR_SYSTEM, errno says whether nobody
 * reads any more (EPIPE). */
bool hb_table_writer_put(hb_table_writer *writer, const hb_field_value *row, hb_error *error);

/* Ends the table if `finish`, and frees the writer. False: HB_ERROR_SYSTEM. */
bool hb_table_writer_close(hb_table_writer *writer, bool finish, hb_error *error);

#endif
