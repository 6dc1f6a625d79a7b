// A load generator for webhook servers: signed, distinct bodies; a fixed rate or as fast as answered.
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a body holds.
enum kind { KIND_STATUS, KIND_MESSAGE, KIND_MIX, KIND_BULK };

struct settings {
    const char *host;
    int port;
    const char *path;
    const char *secret;
    enum kind kind;
    // Of KIND_MIX every so-manieth body is a message; the rest are one status each.
    int message_every;
    // Statuses of one KIND_BULK body.
    int bulk_count;
    // Sets apart the ids of one run from those of another.
    unsigned run;
    int connections;
    // Requests a second; 0: each connection sends as soon as it has its answer.
    double rate;
    double seconds;
    // Not measured at the start, in seconds.
    double warm_seconds;
    size_t count;
    // Listens for deliveries on this port, 0: does not.
    int receiver_port;
    // hold: bytes of each body, and seconds between two bytes.
    size_t body_bytes;
    double drip_seconds;
    const char *distribution_path;
    // sync: the file that is written.
    const char *file;
};

// Whole HTTP requests, one behind the other in memory.
struct requests {
    char *bytes;
    size_t *offsets;
    size_t count;
};

int64_t now_ns(void);
void fail(const char *what) __attribute__((noreturn));
int connect_to(const struct settings *settings);
int listen_on(int port);

// Makes and signs `count` requests before the clock starts.
struct requests make_requests(const struct settings *settings, size_t count);
// The request head for a body that is signed wrongly.
size_t make_wrong_head(const struct settings *settings, char *into, size_t capacity, size_t body);

// Prints percentiles of `values`, nanoseconds each, as members of a JSON object.
void print_percentiles(const char *name, int64_t *values, size_t count);
void write_distribution(const char *path, const int64_t *sorted, size_t count);

// The receiver of deliveries; used by one thread, the sender's.
struct receiver;
struct receiver *receiver_open(int port, int poll_descriptor, size_t message_count);
// Takes an event whose data is at or above RECEIVER_BASE.
void receiver_take(struct receiver *receiver, uint64_t data);
// When message `index` arrived first, or 0.
int64_t receiver_arrival(const struct receiver *receiver, size_t index);
size_t receiver_count(const struct receiver *receiver);
#define RECEIVER_BASE ((uint64_t)1 << 32)

int run_load(const struct settings *settings);
int run_hold(const struct settings *settings);
int run_sync(const struct settings *settings);
int run_make(const struct settings *settings);

#endif
