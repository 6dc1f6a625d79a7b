// Webhook bodies as WhatsApp writes them, signed with HMAC-SHA256.
#include "load.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char envelope[] =
    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"800100200300401\",\"changes\":"
    "[{\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":{\"display_phone_number\":"
    "\"4930555001\",\"phone_number_id\":\"700100200300401\"},";
static const char envelope_end[] = "},\"field\":\"messages\"}]}]}";

static size_t put_status(char *into, unsigned run, size_t index) {
    static const char *const states[] = {"sent", "delivered", "read"};
    return (size_t)sprintf(
        into,
        "{\"id\":\"wamid.HBgNNDkxNTU1MDAwMDAwMRUCABEY%08X%010zu==\",\"status\":\"%s\","
        "\"timestamp\":\"%ld\",\"recipient_id\":\"49155%08zu\",\"conversation\":{\"id\":"
        "\"c0ffee%010zu\",\"origin\":{\"type\":\"marketing\"}},\"pricing\":{\"billable\":true,"
        "\"pricing_model\":\"PMP\",\"category\":\"marketing\",\"type\":\"regular\"}}",
        run, index, states[index % 3], (long)time(NULL), index % 100000000, index);
}

static size_t put_body(char *into, const struct settings *settings, size_t index) {
    char *end = into;
    bool is_message =
        settings->kind == KIND_MESSAGE ||
        (settings->kind == KIND_MIX && index % (size_t)settings->message_every == 0);
    end += sprintf(end, "%s", envelope);
    if (is_message) {
        // "MSG" and ten digits: the receiver knows a message by them.
        end += sprintf(
            end,
            "\"contacts\":[{\"profile\":{\"name\":\"Bench\"},\"wa_id\":\"49157%08zu\"}],"
            "\"messages\":[{\"from\":\"49157%08zu\",\"id\":\"wamid.%08XMSG%010zu==\","
            "\"timestamp\":\"%ld\",\"type\":\"text\",\"text\":{\"body\":\"How much is it?\"}}]",
            index % 100000, index % 100000, settings->run, index, (long)time(NULL));
    } else {
        size_t count = settings->kind == KIND_BULK ? (size_t)settings->bulk_count : 1;
        end += sprintf(end, "\"statuses\":[");
        for (size_t part = 0; part < count; part++) {
            if (part > 0) *end++ = ',';
            end += put_status(end, settings->run, index * count + part);
        }
        *end++ = ']';
    }
    end += sprintf(end, "%s", envelope_end);
    return (size_t)(end - into);
}

static size_t put_head(
    char *into, const struct settings *settings, const char *body, size_t body_count) {
    unsigned char digest[32];
    unsigned digest_count = 0;
    HMAC(
        EVP_sha256(), settings->secret, (int)strlen(settings->secret),
        (const unsigned char *)body, body_count, digest, &digest_count);
    char text[65];
    for (int index = 0; index < 32; index++) sprintf(text + 2 * index, "%02x", digest[index]);
    return (size_t)sprintf(
        into,
        "POST %s HTTP/1.1\r\nHost: %s:%d\r\nAccept: */*\r\nUser-Agent: facebookexternalua\r\n"
        "Content-Type: application/json\r\nX-Hub-Signature-256: sha256=%s\r\n"
        "Content-Length: %zu\r\n\r\n",
        settings->path, settings->host, settings->port, text, body_count);
}

struct requests make_requests(const struct settings *settings, size_t count) {
    size_t statuses = settings->kind == KIND_BULK ? (size_t)settings->bulk_count : 1;
    size_t room = 1024 + 400 * statuses;
    char *body = malloc(room);
    struct requests made = {.count = count};
    made.offsets = malloc((count + 1) * sizeof *made.offsets);
    size_t capacity = 0, used = 0;
    if (!body || !made.offsets) fail("no memory for the requests");
    for (size_t index = 0; index < count; index++) {
        if (capacity - used < room + 512) {
            capacity = capacity * 3 / 2 + room + 1048576;
            made.bytes = realloc(made.bytes, capacity);
            if (!made.bytes) fail("no memory for the requests");
        }
        size_t body_count = put_body(body, settings, index);
        made.offsets[index] = used;
        used += put_head(made.bytes + used, settings, body, body_count);
        memcpy(made.bytes + used, body, body_count);
        used += body_count;
    }
    made.offsets[count] = used;
    free(body);
    return made;
}

size_t make_wrong_head(const struct settings *settings, char *into, size_t capacity, size_t body) {
    return (size_t)snprintf(
        into, capacity,
        "POST %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: facebookexternalua\r\n"
        "Content-Type: application/json\r\nX-Hub-Signature-256: sha256=%064d\r\n"
        "Content-Length: %zu\r\n\r\n",
        settings->path, settings->host, settings->port, 0, body);
}

// Writes the requests to standard output, each with its length in front, for wrk's script to read.
int run_make(const struct settings *settings) {
    struct requests made = make_requests(settings, settings->count);
    for (size_t index = 0; index < made.count; index++) {
        size_t count = made.offsets[index + 1] - made.offsets[index];
        printf("%zu\n", count);
        fwrite(made.bytes + made.offsets[index], 1, count, stdout);
    }
    return ferror(stdout) ? 1 : 0;
}
