/* The C library's Linux calls that `import Glibc` does not show.
   No _GNU_SOURCE here: with it, structures would differ from those of the Glibc module, and no
   file could import both. What needs it is wrapped in clinux.c. */
#ifndef CLINUX_H
#define CLINUX_H
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

int clinux_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);
int clinux_openat(int directory, const char *path, int flags, mode_t mode);
uint32_t clinux_epollet(void);
/* Renames to a name that must be free: EEXIST otherwise; EINVAL where the file system cannot. */
int clinux_rename_new(const char *from, const char *to);
/* An empty file without a name, gone with its descriptor; -1 and errno where there is no memory. */
int clinux_nameless_file(void);
/* 1: a time server keeps the clock, 0: none does, -1: the kernel does not say. */
int clinux_clock_is_synchronized(void);
int clinux_environment_set(const char *name, const char *value);

#endif
