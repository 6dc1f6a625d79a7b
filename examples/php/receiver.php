<?php

/**
 * A receiver for what the workers deliver: plain PHP, under `php -S` and php-fpm alike.
 *
 *   WHATSAPP_APP_SECRET=... php -S 127.0.0.1:8090 examples/php/receiver.php
 *
 * It takes what WhatsApp sends by itself just as well, handshake included, so that the way back is
 * a change of the callback URL. Three things are worth copying into your own:
 *
 * 1. The signature is checked over the raw bytes, before anything reads them as JSON.
 * 2. A delivery may come twice (the answer got lost, say). What it did is remembered under its id
 *    and replay number in the same transaction that did the work, so twice is once.
 * 3. The answer says what happened: 200 it is done, 500 try again. A 200 on an exception would
 *    lose the message; the workers take 200 at its word.
 *
 * Environment: WHATSAPP_APP_SECRET (comma-separated, any of them may have signed);
 * WHATSAPP_VERIFY_TOKEN (only for WhatsApp's own handshake); RECEIVER_DATABASE (default:
 * received.db in the system's temporary directory).
 */

declare(strict_types=1);

/** Did one of our secrets sign exactly these bytes? Compared in constant time. */
function is_signed(string $body, string $signature, string $secrets): bool
{
    $valid = false;
    foreach (explode(',', $secrets) as $secret) {
        $secret = trim($secret);
        $expected = 'sha256=' . hash_hmac('sha256', $body, $secret);
        $valid = ($secret !== '' && hash_equals($expected, $signature)) || $valid;
    }

    return $valid;
}

/**
 * Puts U+FFFD where half a character stands alone: a name that was cut in mid-emoji.
 *
 * WhatsApp sends such names, JSON's grammar allows them, and json_decode refuses the whole body.
 */
function without_halves(string $body): string
{
    // \x5c is the backslash; what (*SKIP)(*FAIL) follows is passed over as it is.
    $escaped = '\x5c\x5c(*SKIP)(*FAIL)';
    $pair = '\x5cud[89ab][0-9a-f]{2}\x5cud[c-f][0-9a-f]{2}(*SKIP)(*FAIL)';
    $half = '\x5cud[89a-f][0-9a-f]{2}';

    return (string) preg_replace("/$escaped|$pair|$half/i", '\ufffd', $body);
}

function open_database(string $path): PDO
{
    $db = new PDO('sqlite:' . $path, null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $db->exec('pragma busy_timeout = 5000');
    $db->exec('pragma journal_mode = wal');
    $db->exec('create table if not exists delivery (
        id text not null, replay integer not null, received_at text not null,
        primary key (id, replay)) strict, without rowid');
    $db->exec('create table if not exists event (
        delivery_id text not null, replay integer not null, field text not null,
        message_id text, sender text, type text, content text not null) strict');

    return $db;
}

/** Does the work of one delivery once, however often it comes. */
function take(PDO $db, string $id, int $replay, array $entries): void
{
    // Taking the write lock first: two copies of one delivery at the same time wait for each other.
    $db->exec('begin immediate');
    try {
        $insert = $db->prepare('insert into delivery values (?, ?, ?) on conflict do nothing');
        $insert->execute([$id, $replay, gmdate('Y-m-d\TH:i:s\Z')]);
        if ($insert->rowCount() === 1) {
            foreach ($entries as $entry) {
                foreach ($entry['changes'] ?? [] as $change) {
                    do_the_work($db, $id, $replay, $change);
                }
            }
        }
        $db->exec('commit');
    } catch (Throwable $error) {
        $db->exec('rollback');
        throw $error;
    }
}

/** The part to replace by your own: here, what came is only kept. */
function do_the_work(PDO $db, string $id, int $replay, array $change): void
{
    $insert = $db->prepare('insert into event values (?, ?, ?, ?, ?, ?, ?)');
    $field = (string) ($change['field'] ?? '');
    $keep = fn (array $event, ?string $type) => $insert->execute([
        $id, $replay, $field, $event['id'] ?? null, $event['from'] ?? null, $type,
        json_encode($event, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES
            | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR),
    ]);
    $value = is_array($change['value'] ?? null) ? $change['value'] : [];
    // All of them, not only the first: WhatsApp may put several into one webhook.
    $messages = $field === 'messages' ? ($value['messages'] ?? []) : [];
    foreach ($messages as $message) {
        $keep($message, $message['type'] ?? null);
    }
    if ($messages === []) {
        $keep($value, null);
    }
}

/**
 * Delivery id => its entries. Several ids (FORWARD_BATCH_MAX above 1): one entry for each, in their
 * order. No id: from WhatsApp itself, where equal bytes are the same webhook.
 */
function shares(string $body, array $entries): array
{
    $header = (string) ($_SERVER['HTTP_X_DELIVERY_ID'] ?? '');
    if ($header === '') {
        return [hash('sha256', $body) => $entries];
    }
    $ids = array_map('trim', explode(',', $header));
    if (count($ids) === 1) {
        return [$ids[0] => $entries];
    }
    if (count($ids) !== count($entries)) {
        throw new RuntimeException('as many ids as entries are expected');
    }

    return array_combine($ids, array_map(fn (array $entry) => [$entry], $entries));
}

/** WhatsApp's handshake; PHP makes hub_verify_token of hub.verify_token. */
function verify(): int
{
    $token = (string) getenv('WHATSAPP_VERIFY_TOKEN');
    if ($token === '' || !hash_equals($token, (string) ($_GET['hub_verify_token'] ?? ''))) {
        return 403;
    }
    header('Content-Type: text/plain');
    echo $_GET['hub_challenge'] ?? '';

    return 200;
}

function receive(): int
{
    $body = (string) file_get_contents('php://input');
    $signature = (string) ($_SERVER['HTTP_X_HUB_SIGNATURE_256'] ?? '');
    if (!is_signed($body, $signature, (string) getenv('WHATSAPP_APP_SECRET'))) {
        return 401;
    }
    try {
        $webhook = json_decode(without_halves($body), true, 512, JSON_THROW_ON_ERROR);
        $path = getenv('RECEIVER_DATABASE') ?: sys_get_temp_dir() . '/received.db';
        $db = open_database($path);
        $replay = (int) ($_SERVER['HTTP_X_DELIVERY_REPLAY'] ?? 0);
        $entries = $webhook['entry'] ?? [];
        foreach (shares($body, $entries) as $id => $share) {
            take($db, (string) $id, $replay, $share);
        }

        return 200;
    } catch (Throwable $error) {
        // To the error log, without the body: it holds what people wrote to each other.
        error_log('receiver: ' . get_class($error) . ' in line ' . $error->getLine());

        return 500;
    }
}

http_response_code($_SERVER['REQUEST_METHOD'] === 'GET' ? verify() : receive());
