// A receiver with so many children that each work so long on a request, as PHP-FPM has: it answers
// 200, or 500 where the body holds "from":"bad". GET / tells how many of each.
//
//     receiver PORT CHILDREN MICROSECONDS        0 microseconds: every request is answered at once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 4096
#define BUFFER_BYTES (1 << 20)
#define CHILDREN_MAX 1024

struct peer {
    size_t held;
    char *bytes;
};
struct answer {
    int64_t at;
    int descriptor;
    int status;
};

static struct peer peers[DESCRIPTORS_MAX];
static struct answer waiting[DESCRIPTORS_MAX];
static size_t waiting_count;
static int64_t free_at[CHILDREN_MAX];
static int child_count;
static int64_t work;
static long accepted_count, failed_count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void drop(int descriptor) {
    close(descriptor);
    peers[descriptor].held = 0;
}

static void answer(int descriptor, int status) {
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    static const char bad[] = "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno";
    status == 200 ? accepted_count++ : failed_count++;
    const char *text = status == 200 ? good : bad;
    if (send(descriptor, text, strlen(text), MSG_NOSIGNAL) < 0) drop(descriptor);
}

static void take(int descriptor, const char *body, size_t count) {
    int status = memmem(body, count, "\"from\":\"bad", 11) ? 500 : 200;
    if (work == 0) {
        answer(descriptor, status);
        return;
    }
    int child = 0;
    for (int other = 1; other < child_count; other++)
        if (free_at[other] < free_at[child]) child = other;
    int64_t start = now();
    if (free_at[child] > start) start = free_at[child];
    free_at[child] = start + work;
    if (waiting_count == DESCRIPTORS_MAX) fail("too many requests wait");
    waiting[waiting_count++] = (struct answer){free_at[child], descriptor, status};
}

static void count_answer(int descriptor) {
    char body[64], text[160];
    int length = snprintf(body, sizeof body, "{\"accepted\": %ld, \"failed\": %ld}",
                          accepted_count, failed_count);
    int whole = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
                         length, body);
    send(descriptor, text, whole, MSG_NOSIGNAL);
}

// One request of what is held; how many bytes it had, or 0 while it is not whole.
static size_t take_request(int descriptor, char *bytes, size_t held) {
    char *end = memmem(bytes, held, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = end + 4 - bytes, length = 0;
    end[2] = 0;
    char *field = strcasestr(bytes, "\r\nContent-Length:");
    end[2] = '\r';
    if (field && field < end) length = strtoul(field + 17, NULL, 10);
    if (held < head + length) return 0;
    if (bytes[0] == 'G') count_answer(descriptor);
    else take(descriptor, bytes + head, length);
    return head + length;
}

static void read_peer(int descriptor) {
    struct peer *peer = &peers[descriptor];
    if (!peer->bytes && !(peer->bytes = malloc(BUFFER_BYTES))) fail("malloc");
    ssize_t count = recv(descriptor, peer->bytes + peer->held, BUFFER_BYTES - peer->held, 0);
    if (count <= 0) {
        if (count == 0 || errno != EAGAIN) drop(descriptor);
        return;
    }
    peer->held += count;
    size_t used;
    while (peer->held && (used = take_request(descriptor, peer->bytes, peer->held)))
        memmove(peer->bytes, peer->bytes + used, peer->held -= used);
}

static void answer_due(int timer) {
    int64_t moment = now(), next = 0;
    size_t kept = 0;
    for (size_t index = 0; index < waiting_count; index++) {
        struct answer *one = &waiting[index];
        if (one->at <= moment) answer(one->descriptor, one->status);
        else {
            if (!next || one->at < next) next = one->at;
            waiting[kept++] = *one;
        }
    }
    waiting_count = kept;
    struct itimerspec spec = {.it_value = {next / 1000000000, next % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

int main(int count, char **arguments) {
    if (count != 4) return fprintf(stderr, "usage: receiver PORT CHILDREN MICROSECONDS\n"), 64;
    child_count = atoi(arguments[2]);
    work = atoll(arguments[3]) * 1000;
    if (child_count < 1 || child_count > CHILDREN_MAX) return 64;
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
        fail("listen");
    int set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = timer;
    epoll_ctl(set, EPOLL_CTL_ADD, timer, &event);
    for (;;) {
        struct epoll_event events[256];
        int found = epoll_wait(set, events, 256, -1);
        for (int index = 0; index < found; index++) {
            int descriptor = events[index].data.fd;
            if (descriptor == listener) {
                int made = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (made < 0) continue;
                if (made >= DESCRIPTORS_MAX) { close(made); continue; }
                setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                peers[made].held = 0;
                struct epoll_event more = {.events = EPOLLIN, .data.fd = made};
                epoll_ctl(set, EPOLL_CTL_ADD, made, &more);
            } else if (descriptor != timer) {
                read_peer(descriptor);
            }
        }
        if (work) answer_due(timer);
    }
}
