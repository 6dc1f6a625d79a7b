// Sends prepared requests at a fixed rate, or as fast as they are answered.
//
// At a fixed rate a latency counts from when a request was due, not from when it could be sent: a
// server that stops for a second has kept a second's requests waiting, and all of them count.
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOTHING ((size_t)-1)
// After the last request: how long answers, and then deliveries, are waited for.
#define DRAIN_NS ((int64_t)30 * 1000000000)

struct connection {
    int descriptor;
    size_t request;
    size_t sent;
    size_t held;
    int64_t since;
    char bytes[2048];
};

struct run {
    const struct settings *settings;
    struct requests requests;
    struct receiver *receiver;
    int poll_descriptor;
    struct connection *connections;
    // Connections without a request, used in turn: a ring.
    int *idle;
    int idle_first;
    int idle_count;
    int64_t start, end, measured_from;
    size_t next;
    size_t busy;
    size_t answered, measured, errors;
    size_t statuses[600];
    // By request: nanoseconds, and when it was acknowledged with 200.
    int64_t *latencies;
    int64_t *acknowledged;
};

static void add_idle(struct run *run, int slot) {
    int place = (run->idle_first + run->idle_count++) % run->settings->connections;
    run->idle[place] = slot;
}

static int take_idle(struct run *run) {
    int slot = run->idle[run->idle_first];
    run->idle_first = (run->idle_first + 1) % run->settings->connections;
    run->idle_count--;
    return slot;
}

static void open_connection(struct run *run, int slot) {
    struct connection *connection = &run->connections[slot];
    connection->descriptor = connect_to(run->settings);
    connection->request = NOTHING;
    connection->held = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)slot};
    if (epoll_ctl(run->poll_descriptor, EPOLL_CTL_ADD, connection->descriptor, &event) != 0) {
        fail("epoll_ctl");
    }
    add_idle(run, slot);
}

static void lose_connection(struct run *run, int slot) {
    struct connection *connection = &run->connections[slot];
    close(connection->descriptor);
    if (connection->request != NOTHING) {
        run->errors++;
        run->busy--;
    } else {
        for (int count = run->idle_count; count > 0; count--) {
            int other = take_idle(run);
            if (other != slot) add_idle(run, other);
        }
    }
    open_connection(run, slot);
}

static void watch_writing(struct run *run, int slot, bool watches) {
    struct epoll_event event = {
        .events = watches ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.u64 = (uint64_t)slot};
    epoll_ctl(run->poll_descriptor, EPOLL_CTL_MOD, run->connections[slot].descriptor, &event);
}

static void send_rest(struct run *run, int slot) {
    struct connection *connection = &run->connections[slot];
    const char *bytes = run->requests.bytes + run->requests.offsets[connection->request];
    size_t count = run->requests.offsets[connection->request + 1] -
                   run->requests.offsets[connection->request];
    bool was_waiting = connection->sent > 0;
    ssize_t sent = send(
        connection->descriptor, bytes + connection->sent, count - connection->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return lose_connection(run, slot);
    if (sent > 0) connection->sent += (size_t)sent;
    if (connection->sent < count) {
        watch_writing(run, slot, true);
    } else if (was_waiting) {
        watch_writing(run, slot, false);
    }
}

static void send_next(struct run *run, int64_t due) {
    int slot = take_idle(run);
    struct connection *connection = &run->connections[slot];
    connection->request = run->next++;
    connection->sent = 0;
    connection->since = due;
    run->busy++;
    send_rest(run, slot);
}

enum answer { ANSWER_INCOMPLETE, ANSWER_TAKEN, ANSWER_LAST };

// Takes an answer off the connection; ANSWER_LAST where the server will close behind it.
static enum answer take_answer(struct run *run, struct connection *connection) {
    connection->bytes[connection->held] = 0;
    char *head_end = strstr(connection->bytes, "\r\n\r\n");
    if (!head_end) return ANSWER_INCOMPLETE;
    size_t length = 0;
    bool is_last = false;
    for (char *line = connection->bytes; line < head_end; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, "content-length:", 15) == 0) length = strtoull(line + 15, NULL, 10);
        if (strncasecmp(line, "connection: close", 17) == 0) is_last = true;
    }
    if (connection->held < (size_t)(head_end + 4 - connection->bytes) + length) return ANSWER_INCOMPLETE;
    int status = atoi(connection->bytes + 9);
    int64_t now = now_ns();
    run->statuses[status > 0 && status < 600 ? status : 0]++;
    run->answered++;
    if (status == 200) run->acknowledged[connection->request] = now;
    if (connection->since >= run->measured_from && connection->since < run->end) {
        run->latencies[run->measured++] = now - connection->since;
    }
    connection->held = 0;
    connection->request = NOTHING;
    run->busy--;
    return is_last ? ANSWER_LAST : ANSWER_TAKEN;
}

static void take_event(struct run *run, struct epoll_event event) {
    int slot = (int)event.data.u64;
    struct connection *connection = &run->connections[slot];
    if (event.events & EPOLLOUT && connection->request != NOTHING) send_rest(run, slot);
    if (!(event.events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    ssize_t count = recv(
        connection->descriptor, connection->bytes + connection->held,
        sizeof connection->bytes - 1 - connection->held, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return lose_connection(run, slot);
    connection->held += (size_t)count;
    if (connection->request == NOTHING) return;
    switch (take_answer(run, connection)) {
    case ANSWER_INCOMPLETE: return;
    case ANSWER_TAKEN: add_idle(run, slot); return;
    case ANSWER_LAST:
        close(connection->descriptor);
        open_connection(run, slot);
    }
}

static int64_t due_at(const struct run *run, size_t index) {
    return run->start + (int64_t)((double)index / run->settings->rate * 1e9);
}

static void send_due(struct run *run) {
    while (run->idle_count > 0 && run->next < run->requests.count) {
        int64_t now = now_ns();
        if (now >= run->end) return;
        int64_t due = run->settings->rate > 0 ? due_at(run, run->next) : now;
        if (due > now) return;
        send_next(run, due);
    }
}

static bool is_over(const struct run *run) {
    int64_t now = now_ns();
    bool is_sending = run->next < run->requests.count && now < run->end;
    if (is_sending) return false;
    if (now > run->end + DRAIN_NS) return true;
    if (run->busy > 0) return false;
    if (!run->receiver) return true;
    size_t messages = 0;
    const struct settings *settings = run->settings;
    size_t step = settings->kind == KIND_MESSAGE ? 1 : (size_t)settings->message_every;
    for (size_t index = 0; index < run->next; index += step) {
        if (run->acknowledged[index] != 0) messages++;
    }
    return receiver_count(run->receiver) >= messages;
}

static void wait_and_take(struct run *run) {
    struct epoll_event events[256];
    struct timespec timeout = {.tv_nsec = 100000000};
    if (run->settings->rate > 0 && run->idle_count > 0 && run->next < run->requests.count) {
        int64_t left = due_at(run, run->next) - now_ns();
        if (left < 0) left = 0;
        if (left < timeout.tv_nsec) timeout.tv_nsec = left;
    }
    int count = epoll_pwait2(run->poll_descriptor, events, 256, &timeout, NULL);
    for (int index = 0; index < count; index++) {
        if (events[index].data.u64 >= RECEIVER_BASE) {
            receiver_take(run->receiver, events[index].data.u64);
        } else {
            take_event(run, events[index]);
        }
    }
}

static void print_arrivals(struct run *run) {
    int64_t *waits = malloc((run->next + 1) * sizeof *waits);
    size_t count = 0, missing = 0;
    const struct settings *settings = run->settings;
    size_t step = settings->kind == KIND_MESSAGE ? 1 : (size_t)settings->message_every;
    if (!waits) fail("no memory for the arrivals");
    for (size_t index = 0; index < run->next; index += step) {
        int64_t acknowledged = run->acknowledged[index];
        int64_t arrival = receiver_arrival(run->receiver, index);
        if (acknowledged == 0) continue;
        if (arrival == 0) {
            missing++;
        } else if (acknowledged >= run->measured_from) {
            // The workers may be quicker than the answer.
            waits[count++] = arrival > acknowledged ? arrival - acknowledged : 0;
        }
    }
    print_percentiles("arrival_ms", waits, count);
    printf(", \"not_arrived\": %zu", missing);
    free(waits);
}

static void print_result(struct run *run, int64_t finished) {
    double seconds = (double)((finished < run->end ? finished : run->end) - run->measured_from) / 1e9;
    printf(
        "{\"seconds\": %.3f, \"sent\": %zu, \"answered\": %zu, \"errors\": %zu, \"per_second\": "
        "%.1f, \"statuses\": {",
        seconds, run->next, run->answered, run->errors, (double)run->measured / seconds);
    const char *comma = "";
    for (int status = 0; status < 600; status++) {
        if (run->statuses[status] == 0) continue;
        printf("%s\"%d\": %zu", comma, status, run->statuses[status]);
        comma = ", ";
    }
    printf("}");
    print_percentiles("latency_ms", run->latencies, run->measured);
    write_distribution(run->settings->distribution_path, run->latencies, run->measured);
    if (run->receiver) print_arrivals(run);
    printf("}\n");
}

int run_load(const struct settings *settings) {
    size_t count = settings->count;
    if (settings->rate > 0) count = (size_t)(settings->rate * settings->seconds);
    if (count == 0) fail("--count is needed without --rate");
    prctl(PR_SET_TIMERSLACK, 1UL);
    struct run run = {.settings = settings, .requests = make_requests(settings, count)};
    run.poll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    run.connections = calloc((size_t)settings->connections, sizeof *run.connections);
    run.idle = calloc((size_t)settings->connections, sizeof *run.idle);
    run.latencies = calloc(count, sizeof *run.latencies);
    run.acknowledged = calloc(count, sizeof *run.acknowledged);
    if (!run.connections || !run.idle || !run.latencies || !run.acknowledged) fail("no memory");
    if (settings->receiver_port > 0) {
        run.receiver = receiver_open(settings->receiver_port, run.poll_descriptor, count);
    }
    for (int slot = 0; slot < settings->connections; slot++) open_connection(&run, slot);
    run.start = now_ns();
    run.measured_from = run.start + (int64_t)(settings->warm_seconds * 1e9);
    run.end = run.start + (int64_t)(settings->seconds * 1e9);
    int64_t sent_at = 0;
    while (!is_over(&run)) {
        send_due(&run);
        if (sent_at == 0 && run.next == run.requests.count && run.busy == 0) sent_at = now_ns();
        wait_and_take(&run);
    }
    print_result(&run, sent_at > 0 ? sent_at : now_ns());
    return 0;
}
