<?php

namespace App\Database\Migrations;

use CodeIgniter\Database\Migration;

class CreateWebhookTables extends Migration
{
    public function up(): void
    {
        $this->forge->addField([
            // X-Delivery-Id
            'id' => ['type' => 'VARCHAR', 'constraint' => 64],
            // X-Delivery-Replay, 0 where there is none
            'replay'      => ['type' => 'INT'],
            'received_at' => ['type' => 'DATETIME'],
        ]);
        $this->forge->addPrimaryKey(['id', 'replay']);
        $this->forge->createTable('webhook_delivery');

        $this->forge->addField([
            'delivery_id' => ['type' => 'VARCHAR', 'constraint' => 64],
            'replay'      => ['type' => 'INT'],
            'field'       => ['type' => 'VARCHAR', 'constraint' => 64],
            'message_id'  => ['type' => 'VARCHAR', 'constraint' => 255, 'null' => true],
            'sender'      => ['type' => 'VARCHAR', 'constraint' => 64, 'null' => true],
            'type'        => ['type' => 'VARCHAR', 'constraint' => 32, 'null' => true],
            // A message may be megabytes long; MySQL's TEXT ends at 64 KiB.
            'content' => ['type' => 'LONGTEXT'],
        ]);
        $this->forge->createTable('webhook_event');
    }

    public function down(): void
    {
        $this->forge->dropTable('webhook_event');
        $this->forge->dropTable('webhook_delivery');
    }
}
