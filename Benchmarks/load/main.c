#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "load - signed webhooks, at a fixed rate or as fast as they are answered\n"
    "\n"
    "usage: load send --port P (--rate R | --count N) --seconds S [...]\n"
    "       load make --count N      requests for wrk, on standard output\n"
    "       load hold --port P --connections N [--drip S | --body BYTES]\n"
    "       load sync --file F --rate R   how long the disk takes for a sync\n"
    "\n"
    "  --kind status|message|mix|bulk   what a body holds (--every N, --bulk N)\n"
    "  --connections N  --warm S  --secret TEXT  --path TEXT  --run N\n"
    "  --receiver PORT  take deliveries there and measure acknowledgement to arrival\n"
    "  --distribution FILE  the whole distribution, in tab-separated lines\n";

int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void fail(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

int connect_to(const struct settings *settings) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)settings->port)};
    inet_pton(AF_INET, settings->host, &address.sin_addr);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("connect");
    }
    int one = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return descriptor;
}

int listen_on(int port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(descriptor, 256) != 0) {
        fail("listen");
    }
    return descriptor;
}

static enum kind kind_of(const char *name) {
    static const char *const names[] = {"status", "message", "mix", "bulk"};
    for (int index = 0; index < 4; index++) {
        if (strcmp(name, names[index]) == 0) return (enum kind)index;
    }
    fail("--kind is status, message, mix or bulk");
}

static const struct option options[] = {
    {"port", 1, 0, 'p'}, {"rate", 1, 0, 'r'}, {"count", 1, 0, 'n'}, {"seconds", 1, 0, 's'},
    {"warm", 1, 0, 'w'}, {"connections", 1, 0, 'c'}, {"kind", 1, 0, 'k'}, {"every", 1, 0, 'e'},
    {"bulk", 1, 0, 'b'}, {"secret", 1, 0, 'S'}, {"path", 1, 0, 'P'}, {"run", 1, 0, 'R'},
    {"receiver", 1, 0, 'v'}, {"distribution", 1, 0, 'd'}, {"body", 1, 0, 'B'},
    {"drip", 1, 0, 'D'}, {"file", 1, 0, 'f'}, {0, 0, 0, 0},
};

static bool take_option(struct settings *settings, int option, char *value) {
    switch (option) {
    case 'p': settings->port = atoi(value); break;
    case 'r': settings->rate = atof(value); break;
    case 'n': settings->count = strtoull(value, NULL, 10); break;
    case 's': settings->seconds = atof(value); break;
    case 'w': settings->warm_seconds = atof(value); break;
    case 'c': settings->connections = atoi(value); break;
    case 'k': settings->kind = kind_of(value); break;
    case 'e': settings->message_every = atoi(value); break;
    case 'b': settings->bulk_count = atoi(value); break;
    case 'S': settings->secret = value; break;
    case 'P': settings->path = value; break;
    case 'R': settings->run = (unsigned)strtoul(value, NULL, 10); break;
    case 'v': settings->receiver_port = atoi(value); break;
    case 'd': settings->distribution_path = value; break;
    case 'B': settings->body_bytes = strtoull(value, NULL, 10); break;
    case 'f': settings->file = value; break;
    case 'D': settings->drip_seconds = atof(value); break;
    default: return false;
    }
    return true;
}

int main(int argc, char **argv) {
    struct settings settings = {
        .host = "127.0.0.1", .path = "/webhook", .secret = "bench", .connections = 64,
        .seconds = 10, .message_every = 11, .bulk_count = 1000, .run = 1,
    };
    const char *verb = argc > 1 ? argv[1] : "";
    for (optind = 2;;) {
        int option = getopt_long(argc, argv, "", options, NULL);
        if (option < 0) break;
        if (!take_option(&settings, option, optarg)) return fputs(usage, stderr), 2;
    }
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    errno = 0;
    if (strcmp(verb, "send") == 0) return run_load(&settings);
    if (strcmp(verb, "make") == 0) return run_make(&settings);
    if (strcmp(verb, "sync") == 0) return run_sync(&settings);
    if (strcmp(verb, "hold") == 0) return run_hold(&settings);
    return fputs(usage, stderr), 2;
}
