<?php
defined('BASEPATH') OR exit('No direct script access allowed');

/**
 * Does the work of a delivery once, however often it comes.
 *
 * @property CI_DB_query_builder $db
 */
class Delivery_model extends CI_Model {

	/** Throws where the work is not done: then nothing of it is kept, and it may come again. */
	public function take($id, $replay, $entries)
	{
		$this->db->trans_begin();
		try
		{
			if ($this->is_new($id, $replay))
			{
				foreach ($entries as $entry)
				{
					foreach (isset($entry['changes']) ? $entry['changes'] : array() as $change)
					{
						$this->do_the_work($id, $replay, $change);
					}
				}
			}
			// With db_debug FALSE a query that failed throws nothing: this knows of it.
			if ($this->db->trans_status() === FALSE)
			{
				throw new RuntimeException('a query failed');
			}
			$this->db->trans_commit();
		}
		catch (Throwable $error)
		{
			$this->db->trans_rollback();
			throw $error;
		}
	}

	/**
	 * Remembers the delivery, in the transaction of its work. Of two copies at the same time the
	 * second waits here for the first one's transaction to end.
	 */
	private function is_new($id, $replay)
	{
		$sql = $this->db->insert_string('webhook_delivery', array(
			'id' => $id, 'replay' => $replay, 'received_at' => gmdate('Y-m-d H:i:s'),
		));
		// PostgreSQL has neither: there it is the suffix ON CONFLICT DO NOTHING.
		$verb = $this->db->platform() === 'sqlite3' ? 'INSERT OR IGNORE' : 'INSERT IGNORE';
		$this->db->query(preg_replace('/^INSERT/', $verb, $sql));
		return $this->db->affected_rows() === 1;
	}

	/** The part to replace by your own: here, what came is only kept. */
	private function do_the_work($id, $replay, $change)
	{
		$field = isset($change['field']) ? (string) $change['field'] : '';
		$value = isset($change['value']) && is_array($change['value']) ? $change['value'] : array();
		// All of them, not only the first: WhatsApp may put several into one webhook.
		$messages = $field === 'messages' && isset($value['messages']) ? $value['messages'] : array();
		// A field that this site does not know is kept as well. A 403 for it would make a dead letter.
		foreach ($messages === array() ? array($value) : $messages as $event)
		{
			$is_message = $messages !== array();
			$this->db->insert('webhook_event', array(
				'delivery_id' => $id, 'replay' => $replay, 'field' => $field,
				'message_id' => isset($event['id']) ? $event['id'] : NULL,
				'sender' => isset($event['from']) ? $event['from'] : NULL,
				'type' => $is_message && isset($event['type']) ? $event['type'] : NULL,
				'content' => json_encode($event, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES),
			));
		}
	}
}
