/* process_metrics.c - from /proc/self and getrusage. */
#include "serve/process_metrics.h"

#include "base/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void print(hb_buffer *out, const char *name, const char *type, const char *help, double value)
{
    hb_buffer_print(out, "# HELP %s %s\n# TYPE %s %s\n%s %.16g\n", name, help, name, type, name, value);
}

/* Reads a small file of /proc as text; empty when it cannot be read. */
static void read_file(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "re");
    const size_t size = file == NULL ? 0 : fread(text, 1, room - 1, file);
    if (file != NULL)
        fclose(file);
    text[size] = '\0';
}

/* The number in a field, counted from 1, of fields with one space between them; false when there is none. */
static bool read_field(const char *text, unsigned field, double *number)
{
    for (; field > 1 && text != NULL; field--)
        text = (text = strchr(text, ' ')) == NULL ? NULL : text + 1;
    char *end = NULL;
    const unsigned long long value = text == NULL ? 0 : strtoull(text, &end, 10);
    *number = (double)value;
    return end != NULL && end != text;
}

/* proc(5): field 2 of statm is the resident set in pages. */
static bool read_resident(double *bytes)
{
    char text[256];
    read_file("/proc/self/statm", text, sizeof text);
    const bool read = read_field(text, 2, bytes);
    *bytes *= (double)sysconf(_SC_PAGESIZE);
    return read;
}

/* proc(5): field 22 of stat is the start in clock ticks since boot. The name, field 2, may hold anything: fields are
 * counted from its last ')'. */
static bool read_start(double *start_s)
{
    char text[1024];
    double ticks = 0;
    struct timespec since_boot;
    read_file("/proc/self/stat", text, sizeof text);
    const char *name_end = strrchr(text, ')');
    if (name_end == NULL || !read_field(name_end, 22 - 1, &ticks) || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
        return false;
    const double age_s = (double)since_boot.tv_sec - ticks / (double)sysconf(_SC_CLK_TCK);
    *start_s = (double)hb_now_ms() / 1000 - age_s;
    return true;
}

static bool count_descriptors(double *count)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return false;
    *count = -3; /* ".", ".." and the one that reads */
    while (readdir(directory) != NULL)
        ++*count;
    closedir(directory);
    return true;
}

void hb_process_metrics_print(hb_buffer *out)
{
    double value = 0;
    struct rusage usage;
    if (read_resident(&value))
        print(out, "process_resident_memory_bytes", "gauge", "Memory held in RAM", value);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        print(out, "process_cpu_seconds_total", "counter", "Processor time used",
              (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    if (read_start(&value))
        print(out, "process_start_time_seconds", "gauge", "Start of the process, Unix time", value);
    if (count_descriptors(&value))
        print(out, "process_open_fds", "gauge", "Open file descriptors", value);
}
