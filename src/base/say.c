/* say.c - lines on stderr. Each is put together first and written at once, so that threads do not mix. */
#include "base/say.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static _Atomic int loudest = HB_SAY_NOTE;

void hb_say_up_to(hb_say_level level)
{
    atomic_store(&loudest, (int)level);
}

void hb_say(hb_say_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&loudest))
        return;
    char line[1024];
    int used = 0;
    if (!isatty(STDERR_FILENO)) {
        char now[HB_TIME_TEXT];
        hb_time_print(hb_now_ms() / 1000, now);
        used = snprintf(line, sizeof line, "%s ", now);
    }
    used += snprintf(line + used, sizeof line - (size_t)used, "hubbub: %s", level == HB_SAY_WARNING ? "warning: " : "");
    const int room = (int)sizeof line - used - 1;
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(line + used, (size_t)room, format, arguments);
    va_end(arguments);
    const int end = used + (size < room ? size : room - 1);
    for (int i = used; i < end; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    line[end] = '\n';
    /* Nothing can be done about a stderr that is gone. */
    (void)!write(STDERR_FILENO, line, (size_t)end + 1);
}
