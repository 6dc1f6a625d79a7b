// Holds many connections open: idle, dripping, or each with a large body under a wrong signature.
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct held {
    int descriptor;
    size_t sent;
    bool is_over;
};

static volatile sig_atomic_t is_stopped;
static void stop(int signal) { (void)signal, is_stopped = 1; }

// Sends on: the head, then the body's bytes, all of them the same.
static bool send_some(struct held *held, const char *head, size_t head_count, size_t whole) {
    static char filler[65536];
    while (held->sent < whole) {
        const char *bytes = held->sent < head_count ? head + held->sent : filler;
        size_t count = held->sent < head_count ? head_count - held->sent : whole - held->sent;
        if (bytes == filler && count > sizeof filler) count = sizeof filler;
        ssize_t sent = send(held->descriptor, bytes, count, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN;
        held->sent += (size_t)sent;
    }
    return true;
}

static void take_end(struct held *held, size_t *statuses) {
    char bytes[1024] = {0};
    ssize_t count = recv(held->descriptor, bytes, sizeof bytes - 1, 0);
    if (count < 0 && errno == EAGAIN) return;
    int status = count > 12 ? atoi(bytes + 9) : 0;
    statuses[status > 0 && status < 600 ? status : 0]++;
    held->is_over = true;
    close(held->descriptor);
}

// Says what the connections came to, as one JSON object.
static void print_statuses(const size_t *statuses, int connections) {
    printf("{\"connections\": %d, \"statuses\": {", connections);
    const char *comma = "";
    for (int status = 0; status < 600; status++) {
        if (statuses[status] == 0) continue;
        printf("%s\"%d\": %zu", comma, status, statuses[status]);
        comma = ", ";
    }
    printf("}}\n");
}

static void drip(const struct settings *settings, struct held *all, const char *head, size_t count) {
    int64_t pause = (int64_t)(settings->drip_seconds * 1e9);
    // Spread over the pause, so that the bytes do not come in bursts.
    int64_t step = pause / settings->connections;
    int64_t due = now_ns();
    for (int index = 0; !is_stopped; index = (index + 1) % settings->connections) {
        due += step;
        int64_t left = due - now_ns();
        if (left > 0) {
            struct timespec time = {left / 1000000000, left % 1000000000};
            nanosleep(&time, NULL);
        }
        struct held *held = &all[index];
        if (held->is_over) {
            // The server gave it up: come again.
            held->descriptor = connect_to(settings);
            held->sent = 0;
            held->is_over = false;
        }
        size_t at = held->sent++ % count;
        char byte;
        bool is_closed = recv(held->descriptor, &byte, 1, MSG_DONTWAIT) >= 0;
        if (is_closed || send(held->descriptor, head + at, 1, MSG_NOSIGNAL) < 0) {
            held->is_over = true;
            close(held->descriptor);
        }
    }
}

static void send_bodies(
    const struct settings *settings, struct held *all, const char *head, size_t head_count) {
    size_t statuses[600] = {0};
    int poll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    for (int index = 0; index < settings->connections; index++) {
        struct epoll_event event = {
            .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = (uint64_t)index};
        epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, all[index].descriptor, &event);
    }
    int open_count = settings->connections;
    int64_t deadline = now_ns() + (int64_t)(settings->seconds * 1e9);
    while (open_count > 0 && !is_stopped && now_ns() < deadline) {
        struct epoll_event events[256];
        int count = epoll_wait(poll_descriptor, events, 256, 100);
        for (int index = 0; index < count; index++) {
            struct held *held = &all[events[index].data.u64];
            if (held->is_over) continue;
            send_some(held, head, head_count, head_count + settings->body_bytes);
            take_end(held, statuses);
            if (held->is_over) open_count--;
        }
    }
    print_statuses(statuses, settings->connections);
}

int run_hold(const struct settings *settings) {
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    struct held *all = calloc((size_t)settings->connections, sizeof *all);
    if (!all) fail("no memory");
    for (int index = 0; index < settings->connections; index++) {
        all[index].descriptor = connect_to(settings);
    }
    char head[1024];
    size_t count = make_wrong_head(settings, head, sizeof head, settings->body_bytes);
    fprintf(stderr, "holding\n");
    if (settings->drip_seconds > 0) {
        drip(settings, all, head, count);
    } else if (settings->body_bytes > 0) {
        send_bodies(settings, all, head, count);
    } else {
        while (!is_stopped) pause();
    }
    return 0;
}
