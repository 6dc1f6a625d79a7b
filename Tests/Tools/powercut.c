/* What a disk may hold after a power cut: rebuilds files from the journals that faults.c keeps.
 *
 *   powercut ROOT JOURNALS SEED
 *
 * Each file holds all that was written before its last sync. Of what came later every write may be
 * there, torn at a sector of 512 bytes, or not at all, in any combination; the seed decides. A file
 * that was never synced may be empty. Names are taken to be durable at once; the simulator in
 * Tests/PowerLoss looks after those. The rebuilt files are the ground of the next journals. */
#define _GNU_SOURCE
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIND(number) (0x6C616E72756F6A00 | (number))
#define KIND_WRITE KIND(1)
#define KIND_CUT KIND(2)
#define KIND_SYNC KIND(3)
enum { SECTOR = 512, HEAD = 24 };

struct bytes { unsigned char *start; size_t count, room; };

static const char *journals;
static uint64_t state;
static int kept_of_eight;   /* how likely an unsynced write is kept */
static long files, lost;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t next(void) {   /* SplitMix64 */
    uint64_t mixed = state += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

static void resize(struct bytes *bytes, size_t count) {
    if (count > bytes->room) {
        bytes->room = count * 2;
        bytes->start = realloc(bytes->start, bytes->room);
        if (!bytes->start) fail("realloc");
    }
    if (count > bytes->count) memset(bytes->start + bytes->count, 0, count - bytes->count);
    bytes->count = count;
}

static void put(struct bytes *bytes, int64_t offset, const unsigned char *from, size_t count) {
    if ((size_t)offset + count > bytes->count) resize(bytes, (size_t)offset + count);
    memcpy(bytes->start + offset, from, count);
}

static struct bytes read_all(const char *path) {
    struct bytes bytes = {0};
    int file = open(path, O_RDONLY);
    if (file < 0) return bytes;
    struct stat facts;
    if (fstat(file, &facts)) fail(path);
    resize(&bytes, (size_t)facts.st_size);
    size_t done = 0;
    while (done < bytes.count) {
        ssize_t count = read(file, bytes.start + done, bytes.count - done);
        if (count <= 0) fail(path);
        done += (size_t)count;
    }
    close(file);
    return bytes;
}

static void write_all(const char *path, const struct bytes *bytes) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) fail(path);
    size_t done = 0;
    while (done < bytes->count) {
        ssize_t count = write(file, bytes->start + done, bytes->count - done);
        if (count <= 0) fail(path);
        done += (size_t)count;
    }
    close(file);
}

static int is_head(const struct bytes *journal, size_t at, int64_t *head) {
    if (at + HEAD > journal->count) return 0;
    memcpy(head, journal->start + at, HEAD);
    return head[0] >= KIND_WRITE && head[0] <= KIND_SYNC;
}

/* The next whole record at `at` or behind it; what a kill cut short in between is passed over. */
static int find(const struct bytes *journal, size_t *at, int64_t *head, size_t *end) {
    for (; *at + HEAD <= journal->count; ++*at) {
        int64_t following[3];
        if (!is_head(journal, *at, head)) continue;
        *end = *at + HEAD + (size_t)head[2];
        if (*end == journal->count || is_head(journal, *end, following)) return 1;
    }
    return 0;
}

/* Where the last sync of a journal ends. */
static size_t synced_end(const struct bytes *journal) {
    size_t at = 0, end = 0, synced = 0;
    int64_t head[3];
    for (; find(journal, &at, head, &end); at = end)
        if (head[0] == KIND_SYNC) synced = end;
    return synced;
}

static void apply(struct bytes *content, const int64_t *head, const unsigned char *from, int is_synced) {
    size_t skipped = 0, count = (size_t)head[2];
    if (!is_synced) {
        int is_kept = (int)(next() % 8) < kept_of_eight;
        if (!is_kept) { lost++; return; }
        if (head[0] == KIND_WRITE && next() % 8 == 0) {   /* torn: its beginning, or its end */
            size_t cut = next() % (count / SECTOR + 1) * SECTOR;
            if (next() % 2) count = cut; else { skipped = cut; count -= cut; }
        }
    }
    if (head[0] == KIND_WRITE) put(content, head[1] + (int64_t)skipped, from + skipped, count);
    if (head[0] == KIND_CUT) resize(content, (size_t)head[1]);
}

static int rebuild(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)place;
    if (kind != FTW_F || !S_ISREG(facts->st_mode)) return 0;
    struct statx birth;
    if (statx(AT_FDCWD, path, 0, STATX_BTIME, &birth)) return 0;
    char journal_path[PATH_MAX], base_path[PATH_MAX + 8];
    snprintf(journal_path, sizeof journal_path, "%s/%llu-%lld.%u", journals,
        (unsigned long long)facts->st_ino, (long long)birth.stx_btime.tv_sec, birth.stx_btime.tv_nsec);
    snprintf(base_path, sizeof base_path, "%s.base", journal_path);
    if (access(journal_path, F_OK)) return 0;
    struct bytes journal = read_all(journal_path), content = read_all(base_path);
    size_t synced = synced_end(&journal), end = 0, at = 0;
    int64_t head[3];
    for (; find(&journal, &at, head, &end); at = end)
        apply(&content, head, journal.start + at + HEAD, at < synced);
    write_all(path, &content);
    write_all(base_path, &content);
    if (truncate(journal_path, 0)) fail(journal_path);
    free(journal.start);
    free(content.start);
    files++;
    return 0;
}

int main(int count, char **words) {
    if (count != 4) return 2;
    journals = words[2];
    state = strtoull(words[3], NULL, 10);
    kept_of_eight = (int[]){0, 0, 2, 4, 7}[next() % 5];
    if (nftw(words[1], rebuild, 16, FTW_PHYS)) fail(words[1]);
    printf("%ld files rebuilt, %ld unsynced writes lost\n", files, lost);
    return 0;
}
