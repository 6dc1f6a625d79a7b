#define _GNU_SOURCE
#include <sys/mman.h>
#include "CLinux.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>

int clinux_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
    return accept4(listener, address, length, flags);
}

int clinux_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}

uint32_t clinux_epollet(void) { return EPOLLET; }

int clinux_environment_set(const char *name, const char *value) { return setenv(name, value, 1); }

int clinux_rename_new(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int clinux_nameless_file(void) { return memfd_create("nameless", MFD_CLOEXEC); }

int clinux_clock_is_synchronized(void) {
    struct timex state = {.modes = 0};
    int result = adjtimex(&state);
    if (result == -1) return -1;
    return result != TIME_ERROR && !(state.status & STA_UNSYNC);
}
