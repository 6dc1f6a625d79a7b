<?php

namespace App\Libraries;

/**
 * Reads what WhatsApp sent: its signature, and its JSON.
 */
final class WhatsAppBody
{
    /** Did one of our secrets sign exactly these bytes? Compared in constant time. */
    public static function isSigned(string $body, string $signature, string $secrets): bool
    {
        $valid = false;

        foreach (explode(',', $secrets) as $secret) {
            $secret   = trim($secret);
            $expected = 'sha256=' . hash_hmac('sha256', $body, $secret);
            $valid    = ($secret !== '' && hash_equals($expected, $signature)) || $valid;
        }

        return $valid;
    }

    /**
     * The entries of a body.
     *
     * A name that WhatsApp cut in mid-emoji leaves half a character, which json_decode refuses
     * together with the whole body: it becomes U+FFFD.
     *
     * @throws \JsonException
     */
    public static function entries(string $body): array
    {
        $escaped = '\x5c\x5c(*SKIP)(*FAIL)';
        $pair    = '\x5cud[89ab][0-9a-f]{2}\x5cud[c-f][0-9a-f]{2}(*SKIP)(*FAIL)';
        $half    = '\x5cud[89a-f][0-9a-f]{2}';
        $body    = (string) preg_replace("/{$escaped}|{$pair}|{$half}/i", '\ufffd', $body);

        return json_decode($body, true, 512, JSON_THROW_ON_ERROR)['entry'] ?? [];
    }
}
