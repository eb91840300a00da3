/* address.c - cuts an address at its separators. Settings are decoded in place, in a copy of their own. */
#include "base/address.h"

#include "base/error.h"

#include <stdlib.h>

static const char *behind_scheme(const char *text)
{
    const char *at = text;
    while ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9'))
        at++;
    return at != text && strncmp(at, "://", 3) == 0 ? at + 3 : NULL;
}

bool hb_address_is(const char *address, const char *scheme)
{
    const size_t size = strlen(scheme);
    return strncmp(address, scheme, size) == 0 && strncmp(address + size, "://", 3) == 0;
}

hb_bytes hb_address_shown(const char *address)
{
    const char *const settings = behind_scheme(address) == NULL ? NULL : strchr(address, '?');
    return settings == NULL ? hb_bytes_of(address) : (hb_bytes){address, (size_t)(settings - address)};
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes a text in place. False: a '%' without two digits behind, or with 00. */
static bool decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        const int high = digit_of(in[1]);
        const int low = high < 0 ? -1 : digit_of(in[2]);
        if (low < 0 || high + low == 0)
            return false;
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return true;
}

static bool read_settings(hb_address *address, const char *text, hb_error *error)
{
    size_t capacity = 0;
    address->texts = hb_copy_text(hb_bytes_of(text));
    char *rest = address->texts;
    for (char *setting; (setting = strsep(&rest, "&")) != NULL;) {
        if (*setting == '\0')
            continue;
        char *const value = strchr(setting, '=');
        if (value == NULL || value == setting)
            return hb_fail(error, HB_ERROR_USAGE, "a setting in the address %s has no '=' or no name", address->shown);
        *value = '\0';
        if (!decode(setting) || !decode(value + 1))
            return hb_fail(error, HB_ERROR_USAGE, "a '%%' in the settings of the address %s must be written %%25",
                           address->shown);
        HB_RESERVE(address->settings, capacity, address->setting_count + 1);
        address->settings[address->setting_count++] = (hb_address_setting){setting, value + 1};
    }
    return true;
}

bool hb_address_read(const char *text, const char *example, hb_address *address, hb_error *error)
{
    const hb_bytes shown = hb_address_shown(text);
    const char *const start = behind_scheme(text);
    const size_t before = start == NULL ? 0 : (size_t)(start - text);
    hb_bytes place = hb_bytes_from(shown, before);
    hb_bytes hosts = {0};
    *address = (hb_address){0};
    if (start == NULL || !hb_bytes_cut(&place, '/', &hosts) || hosts.size == 0 || place.size == 0 ||
        memchr(place.data, '/', place.size) != NULL)
        return hb_fail(error, HB_ERROR_USAGE, "the address %.*s cannot be read; it must look like %s", HB_PRINT(shown),
                       example);
    address->shown = hb_copy_text(shown);
    address->hosts = hb_copy_text(hosts);
    address->place = hb_copy_text(place);
    if (text[shown.size] == '\0' || read_settings(address, text + shown.size + 1, error))
        return true;
    hb_address_free(address);
    return false;
}

void hb_address_free(hb_address *address)
{
    free(address->shown);
    free(address->hosts);
    free(address->place);
    free(address->settings);
    free(address->texts);
    *address = (hb_address){0};
}

static void append_encoded(hb_buffer *out, hb_bytes text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:,";
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != '\0' && strchr(plain, text.data[i]) != NULL)
            hb_buffer_append_char(out, text.data[i]);
        else
            hb_buffer_print(out, "%%%02X", (unsigned char)text.data[i]);
}

bool hb_address_add(hb_buffer *address, hb_bytes setting, hb_error *error)
{
    const char *const sign = setting.size == 0 ? NULL : memchr(setting.data, '=', setting.size);
    if (sign == NULL || sign == setting.data)
        return hb_fail(error, HB_ERROR_USAGE, "the setting '%.*s' must be KEY=VALUE", HB_PRINT(setting));
    const size_t key = (size_t)(sign - setting.data);
    const bool first = address->size == 0 || memchr(address->data, '?', address->size) == NULL;
    hb_buffer_append_char(address, first ? '?' : '&');
    append_encoded(address, (hb_bytes){setting.data, key});
    hb_buffer_append_char(address, '=');
    append_encoded(address, hb_bytes_from(setting, key + 1));
    return true;
}
