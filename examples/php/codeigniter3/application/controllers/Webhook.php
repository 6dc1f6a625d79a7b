<?php
defined('BASEPATH') OR exit('No direct script access allowed');

/**
 * Takes what the workers deliver, and what WhatsApp would send itself: the checks are the same.
 *
 * @property CI_Input $input
 * @property CI_Output $output
 * @property CI_Config $config
 * @property Whatsapp_body $whatsapp_body
 * @property Delivery_model $delivery_model
 */
class Webhook extends CI_Controller {

	public function __construct()
	{
		parent::__construct();
		$this->load->config('whatsapp');
		$this->load->library('whatsapp_body');
	}

	/** The handshake: only WhatsApp makes it, and only while it calls this site directly. */
	public function verify()
	{
		// PHP makes hub_verify_token of hub.verify_token.
		$token = (string) $this->config->item('whatsapp_verify_token');
		if ($token === '' OR ! hash_equals($token, (string) $this->input->get('hub_verify_token')))
		{
			return $this->output->set_status_header(403);
		}
		$this->output->set_content_type('text/plain')
			->set_output((string) $this->input->get('hub_challenge'));
	}

	public function receive()
	{
		// The raw bytes: what json_decode and json_encode make of them has another signature.
		$body = (string) $this->input->raw_input_stream;
		$signature = (string) $this->input->get_request_header('X-Hub-Signature-256');
		$secrets = $this->config->item('whatsapp_app_secret');
		if ( ! $this->whatsapp_body->is_signed($body, $signature, $secrets))
		{
			return $this->output->set_status_header(401);
		}
		// After the signature: nobody else makes this site open its database.
		$this->load->database();
		$this->load->model('delivery_model');
		try
		{
			$entries = $this->whatsapp_body->entries($body);
			$replay = (int) $this->input->get_request_header('X-Delivery-Replay');
			foreach ($this->shares($body, $entries) as $id => $share)
			{
				$this->delivery_model->take((string) $id, $replay, $share);
			}
			$this->output->set_status_header(200);
		}
		catch (Throwable $error)
		{
			// Not 200: the workers would take it at its word. And without the body: it is private.
			log_message('error', 'webhook: '.get_class($error).' in line '.$error->getLine());
			$this->output->set_status_header(500);
		}
	}

	/**
	 * Delivery id => its entries. Several ids (FORWARD_BATCH_MAX above 1): one entry for each, in
	 * their order. No id: from WhatsApp itself, where equal bytes are the same webhook.
	 */
	private function shares($body, $entries)
	{
		$header = (string) $this->input->get_request_header('X-Delivery-Id');
		if ($header === '')
		{
			return array(hash('sha256', $body) => $entries);
		}
		$ids = array_map('trim', explode(',', $header));
		if (count($ids) === 1)
		{
			return array($ids[0] => $entries);
		}
		if (count($ids) !== count($entries))
		{
			throw new RuntimeException('as many ids as entries are expected');
		}
		return array_combine($ids, array_map(function ($entry) { return array($entry); }, $entries));
	}
}
