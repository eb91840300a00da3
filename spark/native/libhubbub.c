/* libhubbub.c - libhubbub for Java: the native methods of hubbub.spark.Libhubbub, which says what each does.
 *
 * A handle is a pointer as a long; Java keeps it in an object that closes it (NativeHandle.java) and never gives out 0
 * or a closed one. Lines come in direct buffers, thousands a call, and are read where they are. What goes back is
 * copied into Java's memory, so nothing here outlives its handle. Whatever is wrong with what comes in is an exception,
 * or counted. */
#include "base/error.h"
#include "views/flat_rows.h"
#include "views/fold.h"
#include "views/speed.h"

#include <jni.h>
#include <stdint.h>

static void *pointer_of(jlong handle)
{
    return (void *)(intptr_t)handle;
}

static jlong handle_of(void *pointer)
{
    return (jlong)(intptr_t)pointer;
}

/* ---- Errors: after these, the native method returns at once ---- */

static void throw_text(JNIEnv *java, const char *class_name, const char *text)
{
    jclass class = (*java)->FindClass(java, class_name);
    if (class != NULL) /* else that is the exception */
        (*java)->ThrowNew(java, class, text);
}

static void throw_error(JNIEnv *java, const hb_error *error)
{
    throw_text(java, "hubbub/spark/HubbubException", error->text);
}

/* ---- Bytes in and out ---- */

/* NULL: an exception waits (no memory; or over 2 GiB, which an array cannot hold). */
static jbyteArray array_of(JNIEnv *java, hb_bytes bytes)
{
    if (bytes.size > INT32_MAX) {
        throw_text(java, "hubbub/spark/HubbubException", "what is to be handed to Java is over 2 GiB");
        return NULL;
    }
    jbyteArray array = (*java)->NewByteArray(java, (jsize)bytes.size);
    if (array != NULL && bytes.size > 0)
        (*java)->SetByteArrayRegion(java, array, 0, (jsize)bytes.size, (const jbyte *)bytes.data);
    return array;
}

/* Borrows an array's bytes, for give_back; data is NULL when an exception waits. */
static hb_bytes borrow(JNIEnv *java, jbyteArray array)
{
    const size_t size = (size_t)(*java)->GetArrayLength(java, array);
    return (hb_bytes){(const char *)(*java)->GetByteArrayElements(java, array, NULL), size};
}

static void give_back(JNIEnv *java, jbyteArray array, hb_bytes bytes)
{
    (*java)->ReleaseByteArrayElements(java, array, (jbyte *)bytes.data, JNI_ABORT);
}

static hb_sheet *decode(JNIEnv *java, jbyteArray encoded)
{
    hb_error error;
    const hb_bytes bytes = borrow(java, encoded);
    if (bytes.data == NULL)
        return NULL;
    hb_sheet *sheet = hb_sheet_decode(bytes, &error);
    give_back(java, encoded, bytes);
    if (sheet == NULL)
        throw_error(java, &error);
    return sheet;
}

static jbyteArray encode(JNIEnv *java, const hb_sheet *sheet)
{
    char *data = NULL;
    size_t size = 0;
    hb_sheet_encode(sheet, &data, &size);
    jbyteArray array = array_of(java, (hb_bytes){data, size});
    hb_free(data);
    return array;
}

/* The first `size` bytes of a direct buffer; false: an exception waits. */
static bool bytes_of_buffer(JNIEnv *java, jobject buffer, jint size, hb_bytes *bytes)
{
    const char *const data = (*java)->GetDirectBufferAddress(java, buffer);
    if (data == NULL || size < 0 || size > (*java)->GetDirectBufferCapacity(java, buffer)) {
        throw_text(java, "java/lang/IllegalArgumentException", "lines must come in a direct buffer that holds them");
        return false;
    }
    *bytes = (hb_bytes){data, (size_t)size};
    return true;
}

/* ---- The fold ---- */

enum { FOLD_MEMORY = 128 << 20 }; /* of one fold, in bytes: beyond it, sheets that rest are kept encoded */

typedef struct java_fold {
    hb_fold *fold;
    size_t given; /* sheets that were handed out */
} java_fold;

static void stay_within_memory(hb_fold *fold)
{
    size_t held = hb_fold_held(fold);
    for (size_t i = 0; i < hb_fold_slot_count(fold); i++)
        held += hb_fold_slot_held(hb_fold_slot_at(fold, i));
    for (size_t i = 0; i < hb_fold_slot_count(fold) && held > FOLD_MEMORY; i++) {
        hb_fold_slot *const slot = hb_fold_slot_at(fold, i);
        const size_t before = hb_fold_slot_held(slot);
        hb_fold_freeze(slot);
        held -= before - hb_fold_slot_held(slot);
    }
}

static jlong fold_open(JNIEnv *java, jclass class)
{
    hb_error error;
    (void)class;
    hb_fold *fold = hb_fold_open(&error);
    if (fold == NULL) {
        throw_error(java, &error);
        return 0;
    }
    java_fold *mine = hb_alloc(sizeof *mine);
    mine->fold = fold;
    return handle_of(mine);
}

static void fold_close(JNIEnv *java, jclass class, jlong handle)
{
    java_fold *const mine = pointer_of(handle);
    (void)java;
    (void)class;
    hb_fold_close(mine->fold);
    hb_free(mine);
}

static void fold_lines(JNIEnv *java, jclass class, jlong handle, jobject buffer, jint size)
{
    java_fold *const mine = pointer_of(handle);
    hb_bytes lines;
    (void)class;
    if (!bytes_of_buffer(java, buffer, size, &lines))
        return;
    hb_fold_lines(mine->fold, lines);
    stay_within_memory(mine->fold);
}

static jobject fold_next_sheet(JNIEnv *java, jclass class, jlong handle)
{
    java_fold *const mine = pointer_of(handle);
    (void)class;
    if (mine->given == hb_fold_slot_count(mine->fold)) {
        mine->given = 0;
        hb_fold_forget(mine->fold, HB_FOLD_ANY_HOUR);
        return NULL;
    }
    hb_fold_slot *const slot = hb_fold_slot_at(mine->fold, mine->given++);
    hb_fold_freeze(slot); /* encodes it, and is done with it */
    jclass result = (*java)->FindClass(java, "hubbub/spark/Sheet");
    jmethodID make = result == NULL ? NULL : (*java)->GetMethodID(java, result, "<init>", "(Ljava/lang/String;J[B)V");
    jbyteArray encoded = make == NULL ? NULL : array_of(java, (hb_bytes){slot->frozen, slot->frozen_size});
    if (encoded == NULL)
        return NULL;
    char name[HB_LOGIN_MAX + 1] = {0}; /* ASCII, as hb_fact_read demands */
    memcpy(name, slot->channel.data, slot->channel.size);
    jstring channel = (*java)->NewStringUTF(java, name);
    return channel == NULL ? NULL : (*java)->NewObject(java, result, make, channel, (jlong)slot->hour_s, encoded);
}

/* In the order of the fields of FoldCounts.java. */
static jlongArray array_of_counts(JNIEnv *java, const hb_fold_counts *counts)
{
    const jlong numbers[] = {(jlong)counts->lines,    (jlong)counts->facts,     (jlong)counts->messages,
                             (jlong)counts->shared,   (jlong)counts->words,     (jlong)counts->duplicates,
                             (jlong)counts->others,   (jlong)counts->malformed, (jlong)counts->bad_timestamps,
                             (jlong)counts->bad_utf8, (jlong)counts->untaken};
    const jsize count = sizeof numbers / sizeof *numbers;
    jlongArray array = (*java)->NewLongArray(java, count);
    if (array != NULL)
        (*java)->SetLongArrayRegion(java, array, 0, count, numbers);
    return array;
}

static jlongArray fold_counts(JNIEnv *java, jclass class, jlong handle)
{
    const java_fold *const mine = pointer_of(handle);
    const hb_fold_counts counts = hb_fold_count(mine->fold);
    (void)class;
    return array_of_counts(java, &counts);
}

/* ---- Sheets ---- */

static jbyteArray sheet_merge(JNIEnv *java, jclass class, jbyteArray one, jbyteArray other)
{
    hb_error error;
    jbyteArray merged = NULL;
    (void)class;
    hb_sheet *into = decode(java, one);
    hb_sheet *from = into == NULL ? NULL : decode(java, other);
    if (from != NULL) {
        if (hb_sheet_merge(into, from, &error))
            merged = encode(java, into);
        else
            throw_error(java, &error);
    }
    hb_sheet_close(from);
    hb_sheet_close(into);
    return merged;
}

static jbyteArray sheet_rows(JNIEnv *java, jclass class, jbyteArray encoded, jint top)
{
    char *data = NULL;
    size_t size = 0;
    (void)class;
    hb_sheet *sheet = decode(java, encoded);
    if (sheet == NULL)
        return NULL;
    hb_sheet_rows(sheet, top <= 0 ? HB_ROWS_ALL : (uint32_t)top, &data, &size);
    hb_sheet_close(sheet);
    jbyteArray rows = array_of(java, (hb_bytes){data, size});
    hb_free(data);
    return rows;
}

/* ---- The speed layer of a partition ---- */

typedef struct java_speed {
    hb_speed *speed;
    hb_top_room *room;
} java_speed;

enum { PROGRESS_NUMBERS = 6 }; /* layer, part, start, position, done, late */

/* Tells a new layer what the store has as progress: all of the batch layer's before the speed layer's. */
static bool restore(JNIEnv *java, hb_speed *speed, jlongArray progress)
{
    const jsize size = (*java)->GetArrayLength(java, progress);
    jlong *const numbers = (*java)->GetLongArrayElements(java, progress, NULL);
    if (numbers == NULL)
        return false;
    for (jsize i = 0; i + PROGRESS_NUMBERS <= size; i += PROGRESS_NUMBERS) {
        const jlong *const one = numbers + i;
        const hb_progress part = {.part = one[1],
                                  .start = (uint64_t)one[2],
                                  .position = (uint64_t)one[3],
                                  .done = one[4] != 0,
                                  .late = (uint64_t)one[5]};
        hb_speed_restore(speed, one[0] == HB_LAYER_BATCH ? HB_LAYER_BATCH : HB_LAYER_SPEED, &part);
    }
    (*java)->ReleaseLongArrayElements(java, progress, numbers, JNI_ABORT);
    return true;
}

static hb_speed *load(JNIEnv *java, const hb_speed_options *options, jbyteArray state, hb_error *error)
{
    const hb_bytes bytes = borrow(java, state);
    if (bytes.data == NULL)
        return NULL;
    hb_speed *speed = hb_speed_load(options, bytes, error);
    give_back(java, state, bytes);
    return speed;
}

/* state may be null: then the layer begins with the progress. */
static jlong speed_open(JNIEnv *java, jclass class, jint partition, jint top, jlong memory, jbyteArray state,
                        jlongArray progress)
{
    hb_error error = {0};
    const hb_speed_options options = {.top = top <= 0 ? HB_TOP_ALL : (uint32_t)top,
                                      .memory = memory < 0 ? 0 : (size_t)memory,
                                      .is_partition = true,
                                      .partition = partition};
    (void)class;
    hb_speed *speed = state == NULL ? hb_speed_open(&options, &error) : load(java, &options, state, &error);
    if (speed == NULL) {
        if (!(*java)->ExceptionCheck(java))
            throw_error(java, &error);
        return 0;
    }
    if (state == NULL && !restore(java, speed, progress)) {
        hb_speed_close(speed);
        return 0;
    }
    java_speed *mine = hb_alloc(sizeof *mine);
    mine->speed = speed;
    mine->room = hb_top_room_open();
    return handle_of(mine);
}

static void speed_close(JNIEnv *java, jclass class, jlong handle)
{
    java_speed *const mine = pointer_of(handle);
    (void)java;
    (void)class;
    hb_speed_close(mine->speed);
    hb_top_room_close(mine->room);
    hb_free(mine);
}

static jlong speed_next(JNIEnv *java, jclass class, jlong handle)
{
    const java_speed *const mine = pointer_of(handle);
    (void)java;
    (void)class;
    return (jlong)hb_speed_next(mine->speed);
}

static jint speed_take(JNIEnv *java, jclass class, jlong handle, jlong at, jobject buffer, jint from, jint size,
                       jlong now_ms)
{
    java_speed *const mine = pointer_of(handle);
    hb_bytes lines;
    (void)class;
    if (!bytes_of_buffer(java, buffer, size, &lines))
        return 0;
    if (from < 0 || from > size) {
        throw_text(java, "java/lang/IllegalArgumentException", "lines begin outside of their buffer");
        return 0;
    }
    return (jint)hb_speed_take_records(mine->speed, (uint64_t)at, hb_bytes_from(lines, (size_t)from), now_ms);
}

static void speed_caught_up(JNIEnv *java, jclass class, jlong handle)
{
    java_speed *const mine = pointer_of(handle);
    (void)java;
    (void)class;
    hb_speed_caught_up(mine->speed);
}

/* kind: as hb_speed_flush_kind. */
static jbyteArray speed_flush(JNIEnv *java, jclass class, jlong handle, jint kind, jlong now_ms)
{
    java_speed *const mine = pointer_of(handle);
    hb_changes changes;
    hb_buffer rows = {0};
    (void)class;
    if (!hb_speed_flush(mine->speed, (hb_speed_flush_kind)kind, now_ms, &changes))
        return NULL;
    hb_flat_rows_write(&changes, mine->room, &rows);
    jbyteArray array = array_of(java, hb_buffer_bytes(&rows));
    hb_buffer_free(&rows);
    return array;
}

static jbyteArray speed_save(JNIEnv *java, jclass class, jlong handle)
{
    java_speed *const mine = pointer_of(handle);
    hb_buffer state = {0};
    (void)class;
    hb_speed_save(mine->speed, &state);
    jbyteArray array = array_of(java, hb_buffer_bytes(&state));
    hb_buffer_free(&state);
    return array;
}

static jlongArray speed_counts(JNIEnv *java, jclass class, jlong handle)
{
    const java_speed *const mine = pointer_of(handle);
    const hb_speed_counts counts = hb_speed_count(mine->speed, INT64_MAX);
    (void)class;
    return array_of_counts(java, &counts.fold);
}

/* ---- What Java finds here ---- */

#define METHOD(name, signature, function)                                                                              \
    {                                                                                                                  \
        (char *)(name), (char *)(signature), (void *)(function)                                                        \
    }

/* By a table and not by exported names, so that a jar and a library of different versions notice when they meet. */
JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *machine, void *reserved)
{
    const JNINativeMethod methods[] = {
        METHOD("foldOpen", "()J", fold_open),
        METHOD("foldClose", "(J)V", fold_close),
        METHOD("foldLines", "(JLjava/nio/ByteBuffer;I)V", fold_lines),
        METHOD("foldNextSheet", "(J)Lhubbub/spark/Sheet;", fold_next_sheet),
        METHOD("foldCounts", "(J)[J", fold_counts),
        METHOD("sheetMerge", "([B[B)[B", sheet_merge),
        METHOD("sheetRows", "([BI)[B", sheet_rows),
        METHOD("speedOpen", "(IIJ[B[J)J", speed_open),
        METHOD("speedClose", "(J)V", speed_close),
        METHOD("speedNext", "(J)J", speed_next),
        METHOD("speedTake", "(JJLjava/nio/ByteBuffer;IIJ)I", speed_take),
        METHOD("speedCaughtUp", "(J)V", speed_caught_up),
        METHOD("speedFlush", "(JIJ)[B", speed_flush),
        METHOD("speedSave", "(J)[B", speed_save),
        METHOD("speedCounts", "(J)[J", speed_counts),
    };
    JNIEnv *java = NULL;
    (void)reserved;
    if ((*machine)->GetEnv(machine, (void **)&java, JNI_VERSION_10) != JNI_OK)
        return JNI_ERR;
    jclass class = (*java)->FindClass(java, "hubbub/spark/Libhubbub");
    if (class == NULL || (*java)->RegisterNatives(java, class, methods, sizeof methods / sizeof *methods) != 0)
        return JNI_ERR;
    return JNI_VERSION_10;
}
