/* say.h - what hubbub tells the person who runs it: lines on stderr, each whole, from any thread.
 *
 * "hubbub: text" on a terminal; with the time in front where stderr goes to a file or a service's journal. */
#ifndef HB_BASE_SAY_H
#define HB_BASE_SAY_H

#include <hubbub.h>

typedef enum hb_say_level { HB_SAY_ERROR, HB_SAY_WARNING, HB_SAY_NOTE, HB_SAY_DETAIL } hb_say_level;

/* Lines above this level are not printed; HB_SAY_NOTE at the start. */
void hb_say_up_to(hb_say_level level);

/* Prints one line; control characters in it are shown as '?', so that nothing from chat can move the cursor. */
void hb_say(hb_say_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define hb_say_error(...)   hb_say(HB_SAY_ERROR, __VA_ARGS__)
#define hb_say_warning(...) hb_say(HB_SAY_WARNING, __VA_ARGS__)
#define hb_say_note(...)    hb_say(HB_SAY_NOTE, __VA_ARGS__)
#define hb_say_detail(...)  hb_say(HB_SAY_DETAIL, __VA_ARGS__)

#endif
