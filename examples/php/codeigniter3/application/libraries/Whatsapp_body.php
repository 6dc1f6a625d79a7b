<?php
defined('BASEPATH') OR exit('No direct script access allowed');

/**
 * Reads what WhatsApp sent: its signature, and its JSON.
 */
class Whatsapp_body {

	/** Did one of our secrets sign exactly these bytes? Compared in constant time. */
	public function is_signed($body, $signature, $secrets)
	{
		$valid = FALSE;
		foreach (explode(',', $secrets) as $secret)
		{
			$secret = trim($secret);
			$expected = 'sha256='.hash_hmac('sha256', $body, $secret);
			$valid = ($secret !== '' && hash_equals($expected, $signature)) || $valid;
		}
		return $valid;
	}

	/**
	 * The entries of a body.
	 *
	 * A name that WhatsApp cut in mid-emoji leaves half a character, which json_decode refuses
	 * together with the whole body: it becomes U+FFFD.
	 */
	public function entries($body)
	{
		$escaped = '\x5c\x5c(*SKIP)(*FAIL)';
		$pair = '\x5cud[89ab][0-9a-f]{2}\x5cud[c-f][0-9a-f]{2}(*SKIP)(*FAIL)';
		$half = '\x5cud[89a-f][0-9a-f]{2}';
		$body = preg_replace("/$escaped|$pair|$half/i", '\ufffd', $body);
		$webhook = json_decode($body, TRUE);
		if ( ! is_array($webhook))
		{
			throw new RuntimeException('the body is no JSON object: '.json_last_error_msg());
		}
		return isset($webhook['entry']) ? $webhook['entry'] : array();
	}
}
