/* Faults of a machine, preloaded into the programs under test (LD_PRELOAD): a disk that fails or is
 * full, a clock that steps, and a record of what was synced, by which a power cut is rebuilt.
 *
 * FAULTS_CONTROL  a file that the test has mapped too: struct control below
 * FAULTS_ROOT     only regular files below this directory are meant
 * FAULTS_JOURNAL  a directory: one journal for each such file, `<inode>-<birth>`; none where unset
 *
 * A journal holds each write, cut and sync in its order, as a header of three 64-bit numbers (kind,
 * offset or size, length) and the written bytes. What follows the last sync may be lost. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum call { WRITE = 0, SYNC = 1, CALLS = 2 };
/* The bytes in front tell where a record begins behind one that a kill cut short. */
#define KIND(number) (0x6C616E72756F6A00 | (number))
#define KIND_WRITE KIND(1)
#define KIND_CUT KIND(2)
#define KIND_SYNC KIND(3)

struct control {
    _Atomic int64_t clock_offset_ms;  /* added to the wall clock */
    _Atomic int64_t disk_full;        /* 1: no write finds room */
    _Atomic int64_t fail_call;        /* enum call */
    _Atomic int64_t fail_at;          /* counts from 1; 0: none */
    _Atomic int64_t fail_errno;
    _Atomic int64_t fail_for_ever;    /* 1: from `fail_at` on */
    _Atomic int64_t sync_delay_us;    /* a slow disk */
    _Atomic int64_t counts[CALLS];
    _Atomic int64_t failures;
};

static struct control *control;
static char root[PATH_MAX];
static size_t root_length;
static const char *journals;

/* What is known of an open descriptor; forgotten when it is closed. */
struct known { int is_known, is_meant, journal; };
static struct known known[4096];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off_t);
static int (*real_close)(int), (*real_statvfs)(const char *, struct statvfs *);
static int (*real_fallocate)(int, int, off_t, off_t);

__attribute__((constructor)) static void start(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_statvfs = dlsym(RTLD_NEXT, "statvfs64");
    real_fallocate = dlsym(RTLD_NEXT, "fallocate64");
    const char *path = getenv("FAULTS_CONTROL"), *below = getenv("FAULTS_ROOT");
    if (!path || !below || !realpath(below, root)) return;
    root_length = strlen(root);
    journals = getenv("FAULTS_JOURNAL");
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    real_close(file);
    if (page != MAP_FAILED) control = page;
}

static int ends(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static int open_journal(int file) {
    struct statx facts;
    if (!journals || statx(file, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &facts)) return -1;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%llu-%lld.%u", journals, (unsigned long long)facts.stx_ino,
        (long long)facts.stx_btime.tv_sec, facts.stx_btime.tv_nsec);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Locks and the gate's byte are no data: they mean nothing after a power cut. */
static int is_data(const char *path) {
    return strncmp(path, root, root_length) == 0 && path[root_length] == '/' && !ends(path, "-shm")
        && !ends(path, ".gate") && !ends(path, ".turn") && !ends(path, ".lock");
}

/* What is known of `file`: whether faults apply to it, and its journal or -1. */
static struct known look(int file) {
    struct known nothing = {1, 0, -1};
    if (!control || file < 0 || file >= 4096) return nothing;
    pthread_mutex_lock(&lock);
    if (!known[file].is_known) {
        struct stat facts;
        char link[64], path[PATH_MAX];
        known[file] = nothing;
        if (fstat(file, &facts) == 0 && S_ISREG(facts.st_mode)) {
            snprintf(link, sizeof link, "/proc/self/fd/%d", file);
            ssize_t length = readlink(link, path, sizeof path - 1);
            if (length > 0) {
                path[length] = 0;
                known[file].is_meant = is_data(path);
                if (known[file].is_meant) known[file].journal = open_journal(file);
            }
        }
    }
    struct known found = known[file];
    pthread_mutex_unlock(&lock);
    return found;
}

static void note(int journal, int64_t kind, int64_t offset, const void *bytes, size_t length) {
    if (journal < 0) return;
    int64_t head[3] = {kind, offset, (int64_t)length};
    struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
    /* One call, so that the records of two programs never mix. */
    if (writev(journal, parts, length ? 2 : 1) < 0) abort();
}

/* Whether this call is to fail; errno says why. */
static int fails(enum call call) {
    if (call == WRITE && atomic_load(&control->disk_full)) {
        errno = ENOSPC;
        return 1;
    }
    int64_t number = atomic_fetch_add(&control->counts[call], 1) + 1;
    int64_t at = atomic_load(&control->fail_at);
    if (!at || atomic_load(&control->fail_call) != call) return 0;
    if (number != at && !(number > at && atomic_load(&control->fail_for_ever))) return 0;
    atomic_fetch_add(&control->failures, 1);
    errno = (int)atomic_load(&control->fail_errno);
    return 1;
}

static ssize_t put(int file, const void *bytes, size_t length, off_t offset) {
    struct known found = look(file);
    if (!found.is_meant) return real_pwrite(file, bytes, length, offset);
    if (fails(WRITE)) return -1;
    ssize_t count = real_pwrite(file, bytes, length, offset);
    if (count > 0) note(found.journal, KIND_WRITE, offset, bytes, (size_t)count);
    return count;
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset) {
    return put(file, bytes, length, offset);
}
ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    return put(file, bytes, length, offset);
}

ssize_t write(int file, const void *bytes, size_t length) {
    struct known found = look(file);
    if (!found.is_meant) return real_write(file, bytes, length);
    if (fails(WRITE)) return -1;
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t count = real_write(file, bytes, length);
    if (count > 0) note(found.journal, KIND_WRITE, offset, bytes, (size_t)count);
    return count;
}

static int sync_file(int file, int (*real)(int)) {
    struct known found = look(file);
    if (!found.is_meant) return real(file);
    if (fails(SYNC)) return -1;
    int64_t delay = atomic_load(&control->sync_delay_us);
    struct timespec time = {delay / 1000000, delay % 1000000 * 1000};
    if (delay) nanosleep(&time, NULL);
    int code = real(file);
    if (code == 0) note(found.journal, KIND_SYNC, 0, NULL, 0);
    return code;
}

int fsync(int file) { return sync_file(file, real_fsync); }
int fdatasync(int file) { return sync_file(file, real_fdatasync); }

static int cut(int file, off_t size) {
    struct known found = look(file);
    int code = real_ftruncate(file, size);
    if (code == 0 && found.is_meant) note(found.journal, KIND_CUT, size, NULL, 0);
    return code;
}
int ftruncate64(int file, off_t size) { return cut(file, size); }
int ftruncate(int file, off_t size) { return cut(file, size); }

static int allocate(int file, int mode, off_t offset, off_t length) {
    if (look(file).is_meant && fails(WRITE)) return -1;
    return real_fallocate(file, mode, offset, length);
}
int fallocate64(int f, int m, off_t o, off_t l) { return allocate(f, m, o, l); }
int fallocate(int f, int m, off_t o, off_t l) { return allocate(f, m, o, l); }
int posix_fallocate64(int f, off_t o, off_t l) { return allocate(f, 0, o, l) ? errno : 0; }
int posix_fallocate(int f, off_t o, off_t l) { return allocate(f, 0, o, l) ? errno : 0; }

static int room(const char *path, struct statvfs *facts) {
    int code = real_statvfs(path, facts);
    if (code == 0 && control && atomic_load(&control->disk_full)) facts->f_bavail = 0;
    return code;
}
int statvfs64(const char *path, struct statvfs64 *facts) { return room(path, (struct statvfs *)facts); }
int statvfs(const char *path, struct statvfs *facts) { return room(path, facts); }

int close(int file) {
    if (file >= 0 && file < 4096) {
        pthread_mutex_lock(&lock);
        int journal = known[file].is_known ? known[file].journal : -1;
        int had = known[file].is_known && known[file].is_meant && journal >= 0;
        memset(&known[file], 0, sizeof known[file]);
        pthread_mutex_unlock(&lock);
        if (had) real_close(journal);
    }
    return real_close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int code = (int)syscall(SYS_clock_gettime, clock, time);
    if (code || !control || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return code;
    int64_t offset = atomic_load(&control->clock_offset_ms);
    time->tv_sec += offset / 1000;
    time->tv_nsec += offset % 1000 * 1000000;
    if (time->tv_nsec < 0) { time->tv_nsec += 1000000000; time->tv_sec--; }
    if (time->tv_nsec >= 1000000000) { time->tv_nsec -= 1000000000; time->tv_sec++; }
    return code;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int code = clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return code;
}
