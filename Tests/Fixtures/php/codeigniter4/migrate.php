<?php

/** Runs the example's migration, as `php spark migrate` would: `php migrate.php DATABASE APP`. */

declare(strict_types=1);

namespace CodeIgniter\Database {
    class Forge
    {
        private array $columns = [];

        public function __construct(private \PDO $pdo)
        {
        }

        public function addField(array $fields): static
        {
            foreach ($fields as $name => $field) {
                $size = isset($field['constraint']) ? "({$field['constraint']})" : '';
                $null = ($field['null'] ?? false) ? '' : ' NOT NULL';
                $this->columns[] = "{$name} {$field['type']}{$size}{$null}";
            }

            return $this;
        }

        public function addPrimaryKey(array $names): static
        {
            $this->columns[] = 'PRIMARY KEY (' . implode(', ', $names) . ')';

            return $this;
        }

        public function createTable(string $table): void
        {
            $this->pdo->exec("CREATE TABLE {$table} (" . implode(', ', $this->columns) . ')');
            $this->columns = [];
        }
    }

    abstract class Migration
    {
        public function __construct(protected Forge $forge)
        {
        }
    }
}

namespace {
    require __DIR__ . '/../connect.php';

    $pdo = connect($argv[1]);
    prepare($pdo);
    foreach (glob($argv[2] . '/Database/Migrations/*.php') as $file) {
        require $file;
        $class = 'App\\Database\\Migrations\\' . preg_replace('/^[^_]*_(.*)\.php$/', '$1', basename($file));
        (new $class(new CodeIgniter\Database\Forge($pdo)))->up();
    }
}
