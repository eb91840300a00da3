/* hubbub_parquet.h - writing Parquet files (Apache Parquet format 1.0, Snappy), by the Rust crate of that name.
 *
 * Columns are required (never null). One writer may be used by one thread at a time. Functions that can fail return
 * false, or NULL, and fill error with a NUL-terminated reason. */
#ifndef HUBBUB_PARQUET_H
#define HUBBUB_PARQUET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum hubbub_parquet_kind {
    HUBBUB_PARQUET_TEXT,  /* BYTE_ARRAY, UTF8 */
    HUBBUB_PARQUET_COUNT, /* INT64 */
    HUBBUB_PARQUET_TIME,  /* INT64, TIMESTAMP in milliseconds, UTC */
    HUBBUB_PARQUET_BOOL   /* BOOLEAN */
} hubbub_parquet_kind;

typedef struct hubbub_parquet_column {
    const char *name;
    hubbub_parquet_kind kind;
} hubbub_parquet_column;

/* One column's values for a group of rows. Texts: row i is bytes[ends[i - 1] .. ends[i]], valid UTF-8; others: one
 * number a row (0 or 1 for BOOL). */
typedef struct hubbub_parquet_values {
    const char *bytes;
    const uint64_t *ends;
    const int64_t *numbers;
} hubbub_parquet_values;

typedef struct hubbub_parquet hubbub_parquet;

/* Starts a file in an open descriptor, which stays the caller's and needs no seeking. */
hubbub_parquet *hubbub_parquet_open(int file, const hubbub_parquet_column *columns, size_t count, char *error,
                                    size_t error_size);

/* Writes one row group; values: one for each column. */
bool hubbub_parquet_write(hubbub_parquet *writer, const hubbub_parquet_values *values, size_t rows, char *error,
                          size_t error_size);

/* Frees the writer; writes the file's end first if `finish` (else what was written is no Parquet file). */
bool hubbub_parquet_close(hubbub_parquet *writer, bool finish, char *error, size_t error_size);

#endif
