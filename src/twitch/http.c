/* http.c - one easy handle in one multi handle: the easy handle keeps the connection, and the multi handle's poll
 * is the one place where the thread waits, be it for bytes or for time, so that one wake-up reaches it anywhere. */
#include "twitch/http.h"

#include "base/clock.h"
#include "base/error.h"
#include "twitch/lookup.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CONNECT_MS = 5000, LOOK_MS = 1000 };

struct hb_http {
    CURLM *multi;
    CURL *easy;
    const char *tls_ca_file;
    int timeout_ms;
    size_t body_max;
    atomic_bool stopped;
    hb_buffer *body; /* of the call in hand */
    bool too_long;
    hb_http_outcome *outcome;
    char reason[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode set_up = CURLE_OK;

static void set_up_curl(void)
{
    set_up = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- What comes in ---- */

static size_t on_body(const char *data, size_t each, size_t count, void *context)
{
    hb_http *http = context;
    const size_t size = each * count;
    if (size > http->body_max - http->body->size) {
        http->too_long = true;
        return 0; /* breaks the call off */
    }
    hb_buffer_append(http->body, (hb_bytes){data, size});
    return size;
}

static bool read_header(hb_bytes line, const char *name, int64_t *number)
{
    hb_bytes key;
    uint64_t value = 0;
    if (!hb_bytes_cut(&line, ':', &key) || key.size != strlen(name) || strncasecmp(key.data, name, key.size) != 0)
        return false;
    while (line.size > 0 && (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r'))
        line.size--;
    if (hb_bytes_to_u64(hb_bytes_trim(line), &value) && value <= UINT32_MAX)
        *number = (int64_t)value;
    return true;
}

static size_t on_header(const char *data, size_t each, size_t count, void *context)
{
    hb_http *http = context;
    const hb_bytes line = {data, each * count};
    if (!read_header(line, "ratelimit-remaining", &http->outcome->remaining))
        read_header(line, "ratelimit-reset", &http->outcome->reset_s);
    return line.size;
}

/* ---- A call ---- */

/* CURLOPT_CAINFO would take the place of what the system trusts, rather than add to it. */
static CURLcode trust(CURL *easy, void *context, void *user)
{
    (void)easy;
    return SSL_CTX_load_verify_locations(context, user, NULL) == 1 ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

static void set_options(hb_http *http, const hb_http_request *call, struct curl_slist *headers)
{
    CURL *const easy = http->easy;
    bool good = false;
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "hubbub/" HB_VERSION);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)http->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->reason);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (!hb_http_url_is_open(call->url, &good) && strncmp(call->url, "http:", 5) == 0)
        curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* this machine is reached without one */
    if (http->tls_ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, trust);
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, (void *)http->tls_ca_file);
    }
    if (call->form != NULL)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->form);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* closing does not wait for a look-up of the host's name */
#endif
}

/* Until the call is over; false when it was broken off. */
static bool carry_out(hb_http *http, CURLcode *result)
{
    int running = 1;
    while (!atomic_load(&http->stopped)) {
        int left = 0;
        if (curl_multi_perform(http->multi, &running) != CURLM_OK)
            break;
        for (const CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;)
            if (message->msg == CURLMSG_DONE) {
                *result = message->data.result;
                return true;
            }
        if (running == 0 || curl_multi_poll(http->multi, NULL, 0, LOOK_MS, NULL) != CURLM_OK)
            break;
    }
    return false;
}

static void add_header(struct curl_slist **headers, const char *name, const char *value)
{
    hb_buffer line = {0};
    hb_buffer_print(&line, "%s%s", name, value);
    hb_buffer_append_char(&line, '\0');
    struct curl_slist *const longer = curl_slist_append(*headers, line.data);
    if (longer == NULL)
        hb_out_of_memory(line.size);
    *headers = longer;
    hb_buffer_free(&line);
}

bool hb_http_call(hb_http *http, const hb_http_request *call, hb_http_outcome *outcome, hb_buffer *body,
                  hb_error *error)
{
    struct curl_slist *headers = NULL;
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    if (call->client_id != NULL)
        add_header(&headers, "Client-Id: ", call->client_id);
    if (call->token != NULL)
        add_header(&headers, "Authorization: Bearer ", call->token);
    *outcome = (hb_http_outcome){.remaining = -1};
    body->size = 0;
    http->body = body;
    http->outcome = outcome;
    http->too_long = false;
    http->reason[0] = '\0';
    set_options(http, call, headers);
    const bool added = curl_multi_add_handle(http->multi, http->easy) == CURLM_OK;
    const bool over = added && carry_out(http, &result);
    if (over && result == CURLE_OK)
        curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &outcome->status);
    if (added)
        curl_multi_remove_handle(http->multi, http->easy);
    curl_slist_free_all(headers);
    if (http->too_long)
        return hb_fail(error, HB_ERROR_LIMIT, "the answer is longer than %zu MiB", http->body_max >> 20);
    if (!over)
        return hb_fail(error, HB_ERROR_NETWORK, "the call was broken off");
    return result == CURLE_OK ||
           hb_fail(error, HB_ERROR_NETWORK, "%s", http->reason[0] != '\0' ? http->reason : curl_easy_strerror(result));
}

/* ---- The rest of the door ---- */

hb_http *hb_http_open(const char *tls_ca_file, int timeout_ms, size_t body_max, hb_error *error)
{
    pthread_once(&once, set_up_curl);
    hb_http *http = hb_alloc(sizeof *http);
    http->tls_ca_file = tls_ca_file;
    http->timeout_ms = timeout_ms;
    http->body_max = body_max;
    http->multi = set_up == CURLE_OK ? curl_multi_init() : NULL;
    http->easy = http->multi == NULL ? NULL : curl_easy_init();
    if (http->easy != NULL)
        return http;
    hb_fail(error, HB_ERROR_SYSTEM, "libcurl could not be set up, so nothing can be asked for over HTTP");
    hb_http_close(http);
    return NULL;
}

void hb_http_close(hb_http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    free(http);
}

void hb_http_wait(hb_http *http, int64_t wait_ms)
{
    if (wait_ms > 0 && !atomic_load(&http->stopped))
        curl_multi_poll(http->multi, NULL, 0, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms, NULL);
}

void hb_http_wake(hb_http *http)
{
    curl_multi_wakeup(http->multi);
}

void hb_http_stop(hb_http *http)
{
    atomic_store(&http->stopped, true);
    curl_multi_wakeup(http->multi);
}

bool hb_http_stopped(const hb_http *http)
{
    return atomic_load(&http->stopped);
}

bool hb_http_url_is_open(const char *url, bool *good)
{
    CURLU *const parts = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    *good = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
            curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
            curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
            (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    const bool open = *good && strcmp(scheme, "http") == 0 && !hb_lookup_is_loopback(host);
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    return open;
}

char *hb_http_url(const char *base, const char *path)
{
    hb_buffer url = {0};
    hb_bytes start = hb_bytes_of(base);
    while (start.size > 0 && start.data[start.size - 1] == '/')
        start.size--;
    hb_buffer_append(&url, start);
    hb_buffer_append(&url, (hb_bytes){path, strlen(path) + 1});
    return url.data;
}
