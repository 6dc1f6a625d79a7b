<?php

namespace App\Models;

use CodeIgniter\Model;
use Throwable;

/**
 * Does the work of a delivery once, however often it comes.
 */
class DeliveryModel extends Model
{
    protected $table         = 'webhook_delivery';
    protected $allowedFields = ['id', 'replay', 'received_at'];

    /**
     * @throws Throwable where the work is not done: then nothing of it is kept, and it may come
     *                   again
     */
    public function take(string $id, int $replay, array $entries): void
    {
        $this->db->transException(true)->transBegin();

        try {
            if ($this->isNew($id, $replay)) {
                foreach ($entries as $entry) {
                    foreach ($entry['changes'] ?? [] as $change) {
                        $this->doTheWork($id, $replay, $change);
                    }
                }
            }
            $this->db->transCommit();
        } catch (Throwable $error) {
            $this->db->transRollback();

            throw $error;
        }
    }

    /**
     * Remembers the delivery, in the transaction of its work. Of two copies at the same time the
     * second waits here for the first one's transaction to end.
     */
    private function isNew(string $id, int $replay): bool
    {
        $this->db->table('webhook_delivery')->ignore(true)->insert([
            'id' => $id, 'replay' => $replay, 'received_at' => gmdate('Y-m-d H:i:s'),
        ]);

        return $this->db->affectedRows() === 1;
    }

    /** The part to replace by your own: here, what came is only kept. */
    private function doTheWork(string $id, int $replay, array $change): void
    {
        $field = (string) ($change['field'] ?? '');
        $value = is_array($change['value'] ?? null) ? $change['value'] : [];
        // All of them, not only the first: WhatsApp may put several into one webhook.
        $messages = $field === 'messages' ? ($value['messages'] ?? []) : [];

        // A field that this site does not know is kept as well. A 403 for it would make a dead letter.
        foreach ($messages ?: [$value] as $event) {
            $this->db->table('webhook_event')->insert([
                'delivery_id' => $id,
                'replay'      => $replay,
                'field'       => $field,
                'message_id'  => $event['id'] ?? null,
                'sender'      => $event['from'] ?? null,
                'type'        => $messages === [] ? null : ($event['type'] ?? null),
                'content'     => json_encode(
                    $event,
                    JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR,
                ),
            ]);
        }
    }
}
