/* process_metrics.c - from /proc/self and getrusage. */
#include "serve/process_metrics.h"

#include "base/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void print(hb_buffer *out, const char *name, const char *type, const char *help, double value)
{
    hb_buffer_print(out, "# HELP %s %s\n# TYPE %s %s\n%s %.16g\n", name, help, name, type, name, value);
}

static bool read_resident(double *bytes)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    const bool read = file != NULL && fscanf(file, "%*u %lu", &pages) == 1;
    if (file != NULL)
        fclose(file);
    *bytes = (double)pages * (double)sysconf(_SC_PAGESIZE);
    return read;
}

/* proc(5): field 22 of stat is the start in clock ticks since boot. Fields are counted behind the last ')'. */
static bool read_start(double *start_s)
{
    char text[1024];
    unsigned long long ticks = 0;
    struct timespec since_boot;
    FILE *file = fopen("/proc/self/stat", "re");
    const size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (file != NULL)
        fclose(file);
    text[size] = '\0';
    const char *name_end = strrchr(text, ')');
    if (name_end == NULL ||
        sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &ticks) != 1 ||
        clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
        return false;
    const double age_s = (double)since_boot.tv_sec - (double)ticks / (double)sysconf(_SC_CLK_TCK);
    *start_s = (double)(hb_now_ms() / 1000) - age_s;
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
