/* news.c - texts and news items. */
#include "serve/news.h"

#include <stdio.h>
#include <stdlib.h>

hb_text *hb_text_make(hb_bytes bytes)
{
    hb_text *text = hb_alloc(sizeof *text + bytes.size);
    text->references = 1;
    text->size = bytes.size;
    if (bytes.size > 0)
        memcpy(text->data, bytes.data, bytes.size);
    return text;
}

void hb_text_drop(hb_text *text)
{
    if (text != NULL && --text->references == 0)
        free(text);
}

hb_text *hb_text_make_event(const char *name, hb_bytes data)
{
    hb_buffer event = {0};
    hb_buffer_print(&event, "event: %s\ndata: ", name);
    hb_buffer_append(&event, data);
    hb_buffer_append(&event, HB_BYTES("\n\n"));
    hb_text *text = hb_text_make(hb_buffer_bytes(&event));
    hb_buffer_free(&event);
    return text;
}

hb_news *hb_news_make(hb_news_kind kind, const char *channel, hb_text *whole)
{
    hb_news *news = hb_alloc(sizeof *news);
    news->kind = kind;
    news->whole = whole;
    snprintf(news->channel, sizeof news->channel, "%s", channel);
    return news;
}

void hb_news_free(hb_news *news)
{
    hb_text_drop(news->whole);
    hb_text_drop(news->changed);
    free(news);
}
