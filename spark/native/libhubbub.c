/* libhubbub.c - libhubbub for Java: the native methods of hubbub.spark.Libhubbub, which says what each does.
 *
 * A handle is a pointer as a long; Java keeps it in an object that closes it (NativeHandle.java) and never gives out 0
 * or a closed one. Lines come in direct buffers, thousands a call, and are read where they are. What goes back is
 * copied into Java's memory, so nothing here outlives its handle. Whatever is wrong with what comes in is an exception,
 * or counted. */
#include "views/fold.h"

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

static hb_sheet *decode(JNIEnv *java, jbyteArray encoded)
{
    hb_error error;
    const jsize size = (*java)->GetArrayLength(java, encoded);
    jbyte *bytes = (*java)->GetByteArrayElements(java, encoded, NULL);
    if (bytes == NULL)
        return NULL;
    hb_sheet *sheet = hb_sheet_decode((hb_bytes){(const char *)bytes, (size_t)size}, &error);
    (*java)->ReleaseByteArrayElements(java, encoded, bytes, JNI_ABORT);
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

static jlongArray fold_counts(JNIEnv *java, jclass class, jlong handle)
{
    const java_fold *const mine = pointer_of(handle);
    (void)class;
    const hb_fold_counts counts = hb_fold_count(mine->fold);
    /* In the order of the fields of FoldCounts.java. */
    const jlong numbers[] = {(jlong)counts.lines,    (jlong)counts.facts,     (jlong)counts.messages,
                             (jlong)counts.shared,   (jlong)counts.words,     (jlong)counts.duplicates,
                             (jlong)counts.others,   (jlong)counts.malformed, (jlong)counts.bad_timestamps,
                             (jlong)counts.bad_utf8, (jlong)counts.untaken};
    const jsize count = sizeof numbers / sizeof *numbers;
    jlongArray array = (*java)->NewLongArray(java, count);
    if (array != NULL)
        (*java)->SetLongArrayRegion(java, array, 0, count, numbers);
    return array;
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
