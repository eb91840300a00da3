/* hubbub_cql.h - speaking to Cassandra (CQL, native protocol 4), by the Rust crate of that name: prepared statements,
 * rows written many at a time without waiting for each, and rows read page by page. What the tables mean is the
 * caller's business.
 *
 * A connection may be used by one thread at a time; it has threads of its own that do the network's work. Statements
 * are sent to a replica of the row that they are about (token-aware) and must be idempotent, since one whose answer is
 * lost may be sent again. Functions that can fail return false, NULL or -1, and fill error with a NUL-terminated
 * reason, without a line end. */
#ifndef HUBBUB_CQL_H
#define HUBBUB_CQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hubbub_cql hubbub_cql;

typedef struct hubbub_cql_options { /* texts: NULL where there is none */
    const char *hosts;              /* HOST[:PORT][,HOST[:PORT]]...: those to ask first */
    const char *user;
    const char *password;
    bool tls;                /* with the system's authorities, or: */
    const char *authorities; /* a PEM file of certificates that are trusted instead */
    const char *certificate; /* a PEM file that says who we are, and its key */
    const char *key;
    bool any_host_name;      /* TLS: do not check that the certificate is of the host that was named */
    const char *consistency; /* "ONE", "LOCAL_QUORUM" ... in any case; default LOCAL_QUORUM */
    const char *datacenter;  /* whose nodes are asked first */
    uint32_t connect_ms;     /* how long setting up one connection may take */
    uint32_t request_ms;     /* how long one request may take, with its repetitions */
    uint32_t requests;       /* that may be under way at once; sending more waits */
    size_t bytes;            /* of such requests, likewise */
} hubbub_cql_options;

/* *tried: whether it came to trying: else the options make no sense, or name files that cannot be read. */
hubbub_cql *hubbub_cql_open(const hubbub_cql_options *options, bool *tried, char *error, size_t error_size);

/* Drops what is under way. */
void hubbub_cql_close(hubbub_cql *cql);

/* Runs a statement without values (CREATE ...), and waits until all nodes agree on the tables. */
bool hubbub_cql_run(hubbub_cql *cql, const char *text, char *error, size_t error_size);

/* From now on, names of tables without a keyspace mean this one. */
bool hubbub_cql_use(hubbub_cql *cql, const char *keyspace, char *error, size_t error_size);

/* Prepares a statement: its number, to be used as long as the connection lives, or -1. */
int hubbub_cql_prepare(hubbub_cql *cql, const char *text, char *error, size_t error_size);

/* ---- Putting together ---- */

/* Begins a row of values for a statement, behind those in hand already; then come all of its values, in order. */
void hubbub_cql_row(hubbub_cql *cql, int statement);
void hubbub_cql_bytes(hubbub_cql *cql, const void *data, size_t size); /* text, blob */
void hubbub_cql_bigint(hubbub_cql *cql, int64_t value);                /* bigint, timestamp (in milliseconds) */
void hubbub_cql_int(hubbub_cql *cql, int32_t value);
void hubbub_cql_double(hubbub_cql *cql, double value);
void hubbub_cql_boolean(hubbub_cql *cql, bool value);
void hubbub_cql_null(hubbub_cql *cql);
size_t hubbub_cql_held(const hubbub_cql *cql); /* bytes of the rows in hand */

/* ---- Writing ---- */

/* Sends what is in hand, as one request: several rows as an unlogged batch, which is one change where they are of one
 * partition. Does not wait for the answer; waits while too much is under way. After a request has failed, all others
 * are passed over until hubbub_cql_wait has told. */
void hubbub_cql_send(hubbub_cql *cql);

/* Waits for all answers. False: a request failed since the last wait; error tells about the first one. */
bool hubbub_cql_wait(hubbub_cql *cql, char *error, size_t error_size);

/* ---- Reading ---- */

typedef struct hubbub_cql_rows hubbub_cql_rows;

/* Asks: the statement with the one row of values in hand. Does not wait; many questions may be under way (each holds a
 * page, and fetches the next one while this one is read). To be closed, at any time, before the connection is. */
hubbub_cql_rows *hubbub_cql_ask(hubbub_cql *cql);
void hubbub_cql_rows_close(hubbub_cql_rows *rows);

/* Steps to the next row: 1, or 0 at the end, or -1. Waits for it. */
int hubbub_cql_next(hubbub_cql_rows *rows, char *error, size_t error_size);

/* Values of the row, by column from 0. Null, or one of another size than its type has, is 0 or empty. Bytes hold until
 * the next step. */
bool hubbub_cql_is_null(const hubbub_cql_rows *rows, size_t column);
const char *hubbub_cql_get_bytes(const hubbub_cql_rows *rows, size_t column, size_t *size);
int64_t hubbub_cql_get_bigint(const hubbub_cql_rows *rows, size_t column);
int32_t hubbub_cql_get_int(const hubbub_cql_rows *rows, size_t column);
double hubbub_cql_get_double(const hubbub_cql_rows *rows, size_t column);
bool hubbub_cql_get_boolean(const hubbub_cql_rows *rows, size_t column);

#endif
