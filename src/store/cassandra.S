/* cassandra.S - the text of cassandra.cql, NUL-terminated; it is found in src/store/, which the build names (-Wa,-I). */
        .section .rodata, "a"
        .globl hb_cassandra_schema
        .hidden hb_cassandra_schema
        .type hb_cassandra_schema, %object
hb_cassandra_schema:
        .incbin "cassandra.cql"
        .byte 0
        .size hb_cassandra_schema, . - hb_cassandra_schema

        .section .note.GNU-stack, "", %progbits
