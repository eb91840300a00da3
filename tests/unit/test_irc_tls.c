/* test_irc_tls.c - the chat client over TLS: only a server with the right certificate is talked to. */
#include "fake_twitch.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

typedef struct identity {
    EVP_PKEY *key;
    X509 *certificate;
} identity;

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* A certificate for the alternative names, signed by the issuer; without an issuer a CA. days: from now on. */
static identity make_identity(const char *name, const char *alternatives, const identity *issuer, int days)
{
    static long serial = 1;
    identity made = {EVP_EC_gen("P-256"), X509_new()};
    const identity *signer = issuer == NULL ? &made : issuer;
    X509_set_version(made.certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -2 * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), days * 86400L);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC, (const unsigned char *)name,
                               -1, -1, 0);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(signer->certificate));
    X509_set_pubkey(made.certificate, made.key);
    if (issuer == NULL) {
        add_extension(made.certificate, signer->certificate, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(made.certificate, signer->certificate, NID_key_usage, "critical,keyCertSign");
    } else {
        add_extension(made.certificate, signer->certificate, NID_subject_alt_name, alternatives);
    }
    assert_true(X509_sign(made.certificate, signer->key, EVP_sha256()) > 0);
    return made;
}

static void free_identity(identity made)
{
    EVP_PKEY_free(made.key);
    X509_free(made.certificate);
}

static int remember_name(SSL *session, int *alert, void *context)
{
    (void)alert;
    const char *name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    snprintf(context, 64, "%s", name == NULL ? "" : name);
    return SSL_TLSEXT_ERR_OK;
}

typedef struct world {
    identity ca;
    char ca_file[40];
    char asked_for[64]; /* SNI */
    fake_twitch *server;
} world;

static world open_world(const char *alternatives, int days)
{
    world made = {.ca = make_identity("hubbub test CA", NULL, NULL, 10), .ca_file = "/tmp/hubbub-ca-XXXXXX"};
    const int fd = mkstemp(made.ca_file);
    FILE *file = fdopen(fd, "w");
    PEM_write_X509(file, made.ca.certificate);
    fclose(file);
    const identity server = make_identity("server", alternatives, &made.ca, days);
    made.server = fake_open();
    made.server->tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(made.server->tls, server.certificate);
    SSL_CTX_use_PrivateKey(made.server->tls, server.key);
    free_identity(server);
    return made;
}

static void close_world(world *made)
{
    SSL_CTX *tls = made->server->tls;
    fake_close(made->server);
    SSL_CTX_free(tls);
    unlink(made->ca_file);
    free_identity(made->ca);
}

static hb_irc_options options_of(const world *made, const char *host, bool trusting)
{
    hb_irc_options options = fake_options(made->server);
    options.host = host;
    options.tls = true;
    options.tls_ca_file = trusting ? made->ca_file : NULL;
    return options;
}

/* Nobody logs in, however often it is tried. */
static void expect_refusal(world *made, const char *host, bool trusting)
{
    fake_client *client = fake_client_open(made->server, options_of(made, host, trusting), "a");
    fake_until(made->server, made->server->guest_count >= 2);
    fake_run(made->server, 50);
    for (size_t i = 0; i < made->server->guest_count; i++)
        assert_int_equal(made->server->guests[i].received.size, 0); /* not even a NICK, let alone a token */
    assert_int_equal(fake_joined(client), 0);
    fake_client_close(client);
    close_world(made);
}

static void the_right_server_is_talked_to(void **state)
{
    (void)state;
    world made = open_world("DNS:localhost", 5);
    SSL_CTX_set_tlsext_servername_callback(made.server->tls, remember_name);
    SSL_CTX_set_tlsext_servername_arg(made.server->tls, made.asked_for);
    fake_client *client = fake_client_open(made.server, options_of(&made, "localhost", true), "a b");
    fake_until(made.server, fake_joined(client) == 2);
    assert_string_equal(made.asked_for, "localhost");
    for (int i = 0; i < 20000; i++) {
        char text[80];
        snprintf(text, sizeof text, "@id=m%d :a!a@a PRIVMSG #a :text\r\n", i);
        fake_send(&made.server->guests[0], text);
    }
    fake_until(made.server, fake_heard(client, "@id=m19999 "));
    fake_send(&made.server->guests[0], ":tmi.twitch.tv RECONNECT\r\n");
    fake_until(made.server, made.server->guests[0].stream == NULL);
    assert_int_equal(fake_joined(client), 2);
    fake_client_close(client);
    close_world(&made);
}

static void a_numeric_address_is_checked_too(void **state)
{
    (void)state;
    world made = open_world("IP:127.0.0.1", 5);
    fake_client *client = fake_client_open(made.server, options_of(&made, "127.0.0.1", true), "a");
    fake_until(made.server, fake_joined(client) == 1);
    fake_client_close(client);
    close_world(&made);
}

static void another_hosts_certificate_is_refused(void **state)
{
    (void)state;
    world made = open_world("DNS:irc.example.com", 5);
    expect_refusal(&made, "localhost", true);
    made = open_world("DNS:localhost", 5);
    expect_refusal(&made, "127.0.0.1", true);
}

static void an_untrusted_certificate_is_refused(void **state)
{
    (void)state;
    world made = open_world("DNS:localhost", 5);
    expect_refusal(&made, "localhost", false);
}

static void an_expired_certificate_is_refused(void **state)
{
    (void)state;
    world made = open_world("DNS:localhost", -1);
    expect_refusal(&made, "localhost", true);
}

static void a_server_without_tls_gets_nothing_out_of_it(void **state)
{
    (void)state;
    world made = open_world("DNS:localhost", 5);
    SSL_CTX_free(made.server->tls);
    made.server->tls = NULL;
    made.server->silent = true;
    hb_irc_options options = options_of(&made, "localhost", true);
    options.silence_ms = 50;
    fake_client *client = fake_client_open(made.server, options, "a");
    fake_until(made.server, made.server->guest_count == 2);
    for (size_t i = 0; i < 2; i++)
        fake_send(&made.server->guests[i], ":tmi.twitch.tv 001 x :Welcome\r\n");
    fake_run(made.server, 100);
    assert_int_equal(fake_joined(client), 0);
    assert_int_equal(client->lines.size, 0);
    fake_client_close(client);
    close_world(&made);
}

static void a_ca_file_that_is_none_is_an_error(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    hb_error error = {0};
    options.tls = true;
    options.tls_ca_file = "/nonexistent/ca.pem";
    assert_null(hb_irc_client_open(server->loop, &options, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_SYSTEM);
    assert_non_null(strstr(error.text, "/nonexistent/ca.pem"));
    fake_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_server_is_talked_to),
        cmocka_unit_test(a_numeric_address_is_checked_too),
        cmocka_unit_test(another_hosts_certificate_is_refused),
        cmocka_unit_test(an_untrusted_certificate_is_refused),
        cmocka_unit_test(an_expired_certificate_is_refused),
        cmocka_unit_test(a_server_without_tls_gets_nothing_out_of_it),
        cmocka_unit_test(a_ca_file_that_is_none_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
