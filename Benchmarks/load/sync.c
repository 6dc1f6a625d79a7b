// How long this disk takes for a sync: writes some pages into a file that is long enough, as a commit
// does, at a fixed rate, and syncs each time.
#include "load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES ((off_t)32 << 20)
#define WRITE_BYTES 24576

int run_sync(const struct settings *settings) {
    static char bytes[WRITE_BYTES];
    if (!settings->file || settings->rate <= 0) fail("--file and --rate are needed");
    int file = open(settings->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) fail("open");
    memset(bytes, 0x55, sizeof bytes);
    for (off_t at = 0; at < FILE_BYTES; at += WRITE_BYTES) {
        if (pwrite(file, bytes, sizeof bytes, at) < 0) fail("pwrite");
    }
    if (fsync(file) != 0) fail("fsync");
    size_t count = (size_t)(settings->rate * settings->seconds);
    int64_t *times = calloc(count, sizeof *times);
    if (!times) fail("no memory");
    int64_t start = now_ns();
    for (size_t index = 0; index < count; index++) {
        int64_t left = start + (int64_t)((double)index / settings->rate * 1e9) - now_ns();
        if (left > 0) nanosleep(&(struct timespec){left / 1000000000, left % 1000000000}, NULL);
        int64_t before = now_ns();
        off_t at = (off_t)index * WRITE_BYTES % (FILE_BYTES - WRITE_BYTES);
        if (pwrite(file, bytes, sizeof bytes, at) < 0 || fdatasync(file) != 0) fail("fdatasync");
        times[index] = now_ns() - before;
    }
    printf("{\"rate\": %.0f", settings->rate);
    print_percentiles("sync_ms", times, count);
    printf("}\n");
    unlink(settings->file);
    return 0;
}
