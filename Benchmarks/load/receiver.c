// A receiver that answers every delivery at once and notes when each message came first.
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define BUFFER_BYTES 65536

struct peer {
    int descriptor;
    size_t held;
    char bytes[BUFFER_BYTES];
};

struct receiver {
    int listener;
    int poll_descriptor;
    int64_t *arrivals;
    size_t message_count;
    size_t arrived_count;
    struct peer *peers[CONNECTIONS_MAX];
};

struct receiver *receiver_open(int port, int poll_descriptor, size_t message_count) {
    struct receiver *made = calloc(1, sizeof *made);
    if (!made) fail("no memory for the receiver");
    made->listener = listen_on(port);
    made->poll_descriptor = poll_descriptor;
    made->arrivals = calloc(message_count, sizeof *made->arrivals);
    made->message_count = message_count;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = RECEIVER_BASE};
    if (epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, made->listener, &event) != 0) fail("epoll_ctl");
    return made;
}

static void take_connection(struct receiver *receiver) {
    int descriptor = accept4(receiver->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    for (uint64_t slot = 0; slot < CONNECTIONS_MAX; slot++) {
        if (receiver->peers[slot]) continue;
        struct peer *peer = calloc(1, sizeof *peer);
        if (!peer) fail("no memory for a connection");
        peer->descriptor = descriptor;
        receiver->peers[slot] = peer;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = RECEIVER_BASE + 1 + slot};
        epoll_ctl(receiver->poll_descriptor, EPOLL_CTL_ADD, descriptor, &event);
        return;
    }
    close(descriptor);
}

static void note(struct receiver *receiver, const char *body, size_t count, int64_t now) {
    const char *end = body + count;
    for (const char *at = body; at + 13 <= end; at++) {
        at = memchr(at, 'M', (size_t)(end - at));
        if (!at || at + 13 > end) return;
        if (memcmp(at, "MSG", 3) != 0) continue;
        size_t index = strtoull(at + 3, NULL, 10);
        if (index >= receiver->message_count || receiver->arrivals[index] != 0) continue;
        receiver->arrivals[index] = now;
        receiver->arrived_count++;
    }
}

// Takes one whole request off the front; false where there is none.
static bool take_request(struct receiver *receiver, struct peer *peer, int64_t now) {
    char *head_end = memmem(peer->bytes, peer->held, "\r\n\r\n", 4);
    if (!head_end) return false;
    size_t length = 0;
    for (char *line = peer->bytes; line < head_end; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, "content-length:", 15) == 0) length = strtoull(line + 15, NULL, 10);
    }
    size_t whole = (size_t)(head_end + 4 - peer->bytes) + length;
    if (whole >= BUFFER_BYTES) fail("a delivery is too long for the receiver");
    if (peer->held < whole) return false;
    note(receiver, head_end + 4, length, now);
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    if (send(peer->descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) return false;
    memmove(peer->bytes, peer->bytes + whole, peer->held - whole);
    peer->held -= whole;
    return true;
}

void receiver_take(struct receiver *receiver, uint64_t data) {
    if (data == RECEIVER_BASE) return take_connection(receiver);
    uint64_t slot = data - RECEIVER_BASE - 1;
    struct peer *peer = receiver->peers[slot];
    if (!peer) return;
    ssize_t count =
        recv(peer->descriptor, peer->bytes + peer->held, BUFFER_BYTES - 1 - peer->held, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        close(peer->descriptor);
        free(peer);
        receiver->peers[slot] = NULL;
        return;
    }
    peer->held += (size_t)count;
    peer->bytes[peer->held] = 0;
    int64_t now = now_ns();
    while (take_request(receiver, peer, now)) {}
}

int64_t receiver_arrival(const struct receiver *receiver, size_t index) {
    return index < receiver->message_count ? receiver->arrivals[index] : 0;
}

size_t receiver_count(const struct receiver *receiver) { return receiver->arrived_count; }
