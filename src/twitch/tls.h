/* tls.h - TLS as a client: whom to trust, and that the other side is who it should be. OpenSSL 3. */
#ifndef HB_TWITCH_TLS_H
#define HB_TWITCH_TLS_H

#include "base/bytes.h"

#include <openssl/ssl.h>

/* Trusts what the system trusts, and the certificates in ca_file (PEM; may be NULL). TLS 1.2 and up. NULL:
 * HB_ERROR_SYSTEM. Free with SSL_CTX_free. */
SSL_CTX *hb_tls_open(const char *ca_file, hb_error *error);

/* One connection's state, which refuses a certificate that is not valid for host (a name or a numeric address). NULL:
 * HB_ERROR_SYSTEM. Free with SSL_free, or leave it to a bufferevent. */
SSL *hb_tls_session(SSL_CTX *context, const char *host, hb_error *error);

/* Says in words why a session failed, into out: from the certificate's check, else from an OpenSSL error code. False
 * when neither tells anything. */
bool hb_tls_reason(const SSL *session, unsigned long code, char *out, size_t size);

#endif
