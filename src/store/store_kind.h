/* store_kind.h - what each kind of store does for store.h; not for other rooms.
 *
 * store.c chooses the kind by the address. A kind's own handle begins with struct hb_store. Functions mean what store.h
 * says of those of the same name; those of rollups are NULL where a kind keeps none. */
#ifndef HB_STORE_STORE_KIND_H
#define HB_STORE_STORE_KIND_H

#include "store/store.h"

typedef struct hb_store_kind {
    bool transactions;
    hb_store *(*open)(const char *address, hb_store_mode mode, hb_error *error);
    void (*close)(hb_store *store);
    bool (*begin)(hb_store *store, hb_error *error);
    bool (*put)(hb_store *store, const hb_changes *changes, hb_error *error);
    bool (*commit)(hb_store *store, hb_error *error);
    uint64_t (*generation)(hb_store *store);
    bool (*minutes)(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_minute *visit,
                    void *context, hb_error *error);
    bool (*moments)(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_moment *visit,
                    void *context, hb_error *error);
    bool (*words)(hb_store *store, hb_bytes channel, int64_t hour_s, hb_kind kind, hb_visit_word *visit, void *context,
                  hb_error *error);
    bool (*users)(hb_store *store, hb_bytes channel, int64_t hour_s, hb_visit_user *visit, void *context,
                  hb_error *error);
    bool (*sheets)(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_sheet *visit,
                   void *context, hb_error *error);
    bool (*outdated)(hb_store *store, int words_version, hb_visit_hour *visit, void *context, hb_error *error);
    bool (*channels)(hb_store *store, hb_visit_channel *visit, void *context, hb_error *error);
    bool (*progress)(hb_store *store, hb_layer layer, hb_visit_progress *visit, void *context, hb_error *error);
    bool (*hold)(hb_store *store, hb_error *error);
    void (*release)(hb_store *store);
    bool (*rollups)(hb_store *store, int64_t from_s, int64_t to_s, hb_visit_rollup *visit, void *context,
                    hb_error *error);
    bool (*ranking)(hb_store *store, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                    hb_visit_ranking *visit, void *context, hb_error *error);
    bool (*rollup_open)(hb_store *store, hb_span span, int64_t start_s, hb_error *error);
    bool (*rollup_put)(hb_store *store, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                       const hb_bytes *ranking, hb_error *error);
    bool (*rollup_close)(hb_store *store, hb_span span, int64_t start_s, hb_rollup_state state, bool *closed,
                         hb_error *error);
    bool (*forget)(hb_store *store, hb_bytes channel, int64_t before_s, bool *more, hb_error *error);
} hb_store_kind;

struct hb_store {
    const hb_store_kind *kind;
};

extern const hb_store_kind hb_store_sqlite;
extern const hb_store_kind hb_store_cassandra;

#endif
