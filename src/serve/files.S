/* files.S - the bytes of the dashboard's files, as they are; pages.c gives them paths and types. They are found below
 * web/ and src/serve/, which the build names (-Wa,-I). */
#include "files.h"

        .section .rodata, "a"

        .macro file name, path
        .balign 16
        .globl hb_file_\name
        .hidden hb_file_\name
        .type hb_file_\name, %object
hb_file_\name:
        .incbin "\path"
        .globl hb_file_\name\()_end
        .hidden hb_file_\name\()_end
hb_file_\name\()_end:
        .byte 0
        .size hb_file_\name, hb_file_\name\()_end - hb_file_\name
        .endm

#define FILE(name, path, file_path, type) file name, file_path ;
        HB_FILES(FILE)

        .section .note.GNU-stack, "", %progbits
