/* changes.c - the names of the layers. */
#include "views/changes.h"

const char *hb_layer_name(hb_layer layer)
{
    return layer == HB_LAYER_BATCH ? "batch" : "speed";
}
