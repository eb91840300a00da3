/* files.S - the bytes of the dashboard's files, as they are; pages.c gives them names and types. The paths are found
 * below web/ and src/serve/, which the build names (-Wa,-I). */
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

        file index_html, "index.html"
        file app_js, "app.js"
        file style_css, "style.css"
        file uplot_js, "vendor/uPlot.iife.min.js"
        file uplot_css, "vendor/uPlot.min.css"
        file openapi_json, "openapi.json"

        .section .note.GNU-stack, "", %progbits
