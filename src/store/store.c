/* store.c - chooses the kind of store by its address, and passes everything on to it. */
#include "store/store.h"

#include "base/address.h"
#include "store/store_kind.h"

hb_store *hb_store_open(const char *address, hb_store_mode mode, hb_error *error)
{
    const hb_store_kind *const kind = hb_address_is(address, "cassandra") ? &hb_store_cassandra : &hb_store_sqlite;
    hb_store *const store = kind->open(address, mode, error);
    if (store != NULL)
        store->kind = kind;
    return store;
}

void hb_store_close(hb_store *store)
{
    if (store != NULL)
        store->kind->close(store);
}

/* ---- Writing ---- */

bool hb_store_begin(hb_store *store, hb_error *error)
{
    return store->kind->begin(store, error);
}

bool hb_store_put(hb_store *store, const hb_changes *changes, hb_error *error)
{
    return store->kind->put(store, changes, error);
}

bool hb_store_commit(hb_store *store, hb_error *error)
{
    return store->kind->commit(store, error);
}

bool hb_store_has_transactions(const hb_store *store)
{
    return store->kind->transactions;
}

bool hb_store_apply(hb_store *store, const hb_changes *changes, hb_error *error)
{
    return hb_store_begin(store, error) && hb_store_put(store, changes, error) && hb_store_commit(store, error);
}

bool hb_store_forget(hb_store *store, hb_bytes channel, int64_t before_s, bool *more, hb_error *error)
{
    return store->kind->forget(store, channel, before_s, more, error);
}

/* ---- Reading ---- */

uint64_t hb_store_generation(hb_store *store)
{
    return store->kind->generation(store);
}

bool hb_store_minutes(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_minute *visit,
                      void *context, hb_error *error)
{
    return store->kind->minutes(store, channel, from_s, to_s, visit, context, error);
}

bool hb_store_moments(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_moment *visit,
                      void *context, hb_error *error)
{
    return store->kind->moments(store, channel, from_s, to_s, visit, context, error);
}

bool hb_store_words(hb_store *store, hb_bytes channel, int64_t hour_s, hb_kind kind, hb_visit_word *visit,
                    void *context, hb_error *error)
{
    return store->kind->words(store, channel, hour_s, kind, visit, context, error);
}

bool hb_store_users(hb_store *store, hb_bytes channel, int64_t hour_s, hb_visit_user *visit, void *context,
                    hb_error *error)
{
    return store->kind->users(store, channel, hour_s, visit, context, error);
}

bool hb_store_sheets(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_sheet *visit,
                     void *context, hb_error *error)
{
    return store->kind->sheets(store, channel, from_s, to_s, visit, context, error);
}

bool hb_store_outdated(hb_store *store, int words_version, hb_visit_hour *visit, void *context, hb_error *error)
{
    return store->kind->outdated(store, words_version, visit, context, error);
}

bool hb_store_channels(hb_store *store, hb_visit_channel *visit, void *context, hb_error *error)
{
    return store->kind->channels(store, visit, context, error);
}

bool hb_store_progress(hb_store *store, hb_layer layer, hb_visit_progress *visit, void *context, hb_error *error)
{
    return store->kind->progress(store, layer, visit, context, error);
}

bool hb_store_hold(hb_store *store, hb_error *error)
{
    return store->kind->hold(store, error);
}

void hb_store_release(hb_store *store)
{
    store->kind->release(store);
}

/* ---- Rollups ---- */

bool hb_store_keeps_rollups(const hb_store *store)
{
    return store->kind->rollups != NULL;
}

bool hb_store_rollups(hb_store *store, int64_t from_s, int64_t to_s, hb_visit_rollup *visit, void *context,
                      hb_error *error)
{
    return !hb_store_keeps_rollups(store) || store->kind->rollups(store, from_s, to_s, visit, context, error);
}

bool hb_store_ranking(hb_store *store, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                      hb_visit_ranking *visit, void *context, hb_error *error)
{
    return !hb_store_keeps_rollups(store) ||
           store->kind->ranking(store, channel, span, start_s, kind, visit, context, error);
}

bool hb_store_rollup_open(hb_store *store, hb_span span, int64_t start_s, hb_error *error)
{
    return store->kind->rollup_open(store, span, start_s, error);
}

bool hb_store_rollup_put(hb_store *store, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                         const hb_bytes *ranking, hb_error *error)
{
    return store->kind->rollup_put(store, channel, span, start_s, kind, ranking, error);
}

bool hb_store_rollup_close(hb_store *store, hb_span span, int64_t start_s, hb_rollup_state state, bool *closed,
                           hb_error *error)
{
    return store->kind->rollup_close(store, span, start_s, state, closed, error);
}
