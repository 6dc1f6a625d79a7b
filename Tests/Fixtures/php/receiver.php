<?php

/**
 * The receiver of the system tests: checks signatures itself, misbehaves as told, keeps everything.
 *
 * RECEIVER_DIRECTORY holds `behaviour.json`, a list of {"match": text, "status": code}: the first
 * whose text stands in the body decides the answer, else it is 200. Each delivery is one line of
 * `arrivals.ndjson` there, written before the answer: what the workers hear, the test can read.
 */

declare(strict_types=1);

$directory = (string) getenv('RECEIVER_DIRECTORY');
$body = (string) file_get_contents('php://input');

$headers = [];
foreach ($_SERVER as $name => $value) {
    if (str_starts_with($name, 'HTTP_')) {
        $headers[strtolower(strtr(substr($name, 5), '_', '-'))] = $value;
    }
}
$headers['content-type'] = $_SERVER['CONTENT_TYPE'] ?? '';

$expected = 'sha256=' . hash_hmac('sha256', $body, (string) getenv('WHATSAPP_APP_SECRET'));
$expected1 = 'sha1=' . hash_hmac('sha1', $body, (string) getenv('WHATSAPP_APP_SECRET'));
$is_signed = hash_equals($expected, $headers['x-hub-signature-256'] ?? '')
    && hash_equals($expected1, $headers['x-hub-signature'] ?? '');

$status = 200;
$rules = json_decode((string) @file_get_contents($directory . '/behaviour.json'), true) ?? [];
foreach ($rules as $rule) {
    if (str_contains($body, $rule['match'])) {
        $status = $rule['status'];
        break;
    }
}

$line = json_encode([
    'body' => base64_encode($body),
    'headers' => $headers,
    'is_signed' => $is_signed,
    'status' => $status,
], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES) . "\n";
file_put_contents($directory . '/arrivals.ndjson', $line, FILE_APPEND | LOCK_EX);

http_response_code($status);
echo $status === 200 ? 'taken' : 'told to refuse';
