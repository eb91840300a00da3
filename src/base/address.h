/* address.h - reading an address of a log or a store that is a service: SCHEME://HOSTS/PLACE?KEY=VALUE&…
 *
 *     kafka://10.0.0.1:9092,10.0.0.2:9092/twitch-chat?security.protocol=SASL_SSL&sasl.password=a%26b
 *     cassandra://10.0.0.1/hubbub?consistency=local_quorum
 *
 * Values are percent-encoded (RFC 3986, 2.1). A path of the file system has no "://" near its start and is none of
 * this.
 */
#ifndef HB_BASE_ADDRESS_H
#define HB_BASE_ADDRESS_H

#include "base/memory.h"

typedef struct hb_address_setting {
    const char *key;
    const char *value; /* decoded */
} hb_address_setting;

typedef struct hb_address { /* free with hb_address_free */
    char *shown;            /* the address without its settings, which may hold secrets: for messages */
    char *hosts;            /* "10.0.0.1:9092,10.0.0.2:9092" */
    char *place;            /* "twitch-chat" */
    hb_address_setting *settings;
    size_t setting_count;
    char *texts; /* what the settings point to */
} hb_address;

/* Whether an address is of this scheme ("kafka"). */
bool hb_address_is(const char *address, const char *scheme);

/* Reads an address that is of some scheme. False: HB_ERROR_USAGE, with nothing to free: no hosts or no place, a setting
 * without '=' or key, a stray '%'. example: what the message shows as a right one. */
bool hb_address_read(const char *text, const char *example, hb_address *address, hb_error *error);
void hb_address_free(hb_address *address);

/* Adds a setting "KEY=VALUE" to an address that is being put together, encoded. False: HB_ERROR_USAGE (no '=', or no
 * key). */
bool hb_address_add(hb_buffer *address, hb_bytes setting, hb_error *error);

/* How much of an address may be shown: up to its settings. */
hb_bytes hb_address_shown(const char *address);

#endif
