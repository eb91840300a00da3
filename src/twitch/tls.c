/* tls.c - the few OpenSSL calls that make a connection a safe one. */
#include "twitch/tls.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static bool fail_tls(hb_error *error, const char *what)
{
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    ERR_clear_error();
    return hb_fail(error, HB_ERROR_SYSTEM, "%s: %s", what, reason);
}

SSL_CTX *hb_tls_open(const char *ca_file, hb_error *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_default_verify_paths(context) != 1) {
        fail_tls(error, "TLS cannot be set up");
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (ca_file != NULL && SSL_CTX_load_verify_file(context, ca_file) != 1) {
        char what[300];
        snprintf(what, sizeof what, "no certificates can be read from %s", ca_file);
        fail_tls(error, what);
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

SSL *hb_tls_session(SSL_CTX *context, const char *host, hb_error *error)
{
    SSL *session = SSL_new(context);
    unsigned char address[sizeof(struct in6_addr)];
    const bool numeric = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    bool fine = session != NULL;
    if (fine && numeric) /* a numeric address is no name for SNI (RFC 6066, section 3) */
        fine = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
    else if (fine)
        fine = SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
    if (fine)
        return session;
    fail_tls(error, "a TLS connection cannot be set up");
    SSL_free(session);
    return NULL;
}

bool hb_tls_reason(const SSL *session, unsigned long code, char *out, size_t size)
{
    const long verified = SSL_get_verify_result(session);
    if (verified != X509_V_OK)
        snprintf(out, size, "its certificate is refused: %s", X509_verify_cert_error_string(verified));
    else if (code != 0 && ERR_reason_error_string(code) != NULL)
        snprintf(out, size, "TLS failed: %s", ERR_reason_error_string(code));
    return verified != X509_V_OK || (code != 0 && ERR_reason_error_string(code) != NULL);
}
