<?php

/** The framework's classes, as far as the example calls them; see index.php. */

declare(strict_types=1);

namespace CodeIgniter\Config {
    class BaseConfig
    {
        public function __construct()
        {
        }
    }
}

namespace CodeIgniter\Filters {
    class CSRF
    {
    }
}

namespace CodeIgniter\HTTP {
    interface ResponseInterface
    {
    }

    class IncomingRequest
    {
        public function getBody(): string
        {
            return (string) file_get_contents('php://input');
        }

        public function getHeaderLine(string $name): string
        {
            return (string) ($_SERVER['HTTP_' . strtoupper(strtr($name, '-', '_'))] ?? '');
        }

        public function getGet(string $name): mixed
        {
            return $_GET[$name] ?? null;
        }
    }

    class Response implements ResponseInterface
    {
        private int $code = 200;
        private string $type = 'text/html';
        private string $body = '';

        public function setStatusCode(int $code): static
        {
            $this->code = $code;

            return $this;
        }

        public function setContentType(string $type): static
        {
            $this->type = $type;

            return $this;
        }

        public function setBody(string $body): static
        {
            $this->body = $body;

            return $this;
        }

        public function send(): void
        {
            http_response_code($this->code);
            header('Content-Type: ' . $this->type);
            echo $this->body;
        }
    }
}

namespace CodeIgniter\Router {
    class RouteCollection
    {
        private array $handlers = [];

        public function get(string $path, string $handler): void
        {
            $this->handlers['GET ' . $path] = $handler;
        }

        public function post(string $path, string $handler): void
        {
            $this->handlers['POST ' . $path] = $handler;
        }

        public function handler(string $verb, string $path): ?string
        {
            return $this->handlers[$verb . ' ' . $path] ?? null;
        }
    }
}

namespace CodeIgniter\Database {
    class DatabaseException extends \RuntimeException
    {
    }

    class BaseBuilder
    {
        private bool $isIgnoring = false;

        public function __construct(private BaseConnection $db, private string $table)
        {
        }

        public function ignore(bool $ignore = true): static
        {
            $this->isIgnoring = $ignore;

            return $this;
        }

        public function insert(array $set): bool
        {
            $verb = $this->isIgnoring ? $this->db->insertIgnore : 'INSERT';
            $marks = implode(', ', array_fill(0, count($set), '?'));
            $columns = implode(', ', array_keys($set));

            return $this->db->query(
                "{$verb} INTO {$this->table} ({$columns}) VALUES ({$marks})",
                array_values($set),
            );
        }
    }

    class BaseConnection
    {
        public readonly string $insertIgnore;
        private \PDO $pdo;
        private int $affected = 0;
        private int $depth = 0;
        private bool $throws = false;

        public function __construct(string $path)
        {
            $this->pdo = connect($path);
            $isMySQL = $this->pdo->getAttribute(\PDO::ATTR_DRIVER_NAME) === 'mysql';
            $this->insertIgnore = $isMySQL ? 'INSERT IGNORE' : 'INSERT OR IGNORE';
        }

        public function table(string $name): BaseBuilder
        {
            return new BaseBuilder($this, $name);
        }

        public function transException(bool $throws): static
        {
            $this->throws = $throws;

            return $this;
        }

        public function transBegin(): bool
        {
            $this->pdo->beginTransaction();
            $this->depth = 1;

            return true;
        }

        public function transCommit(): bool
        {
            if ($this->depth === 0) {
                return false;
            }
            $this->pdo->commit();
            $this->depth = 0;

            return true;
        }

        public function transRollback(): bool
        {
            if ($this->depth === 0) {
                return false;
            }
            $this->pdo->rollBack();
            $this->depth = 0;

            return true;
        }

        public function query(string $sql, array $binds): bool
        {
            try {
                $statement = $this->pdo->prepare($sql);
                $statement->execute($binds);
                $this->affected = $statement->rowCount();

                return true;
            } catch (\PDOException $error) {
                if ($this->depth > 0 && !$this->throws) {
                    return false;
                }
                $this->transRollback();

                throw new DatabaseException($error->getMessage());
            }
        }

        public function affectedRows(): int
        {
            return $this->affected;
        }
    }
}

namespace CodeIgniter {
    use CodeIgniter\Database\BaseConnection;
    use CodeIgniter\HTTP\IncomingRequest;
    use CodeIgniter\HTTP\Response;

    class Controller
    {
        protected IncomingRequest $request;
        protected Response $response;

        public function initController(IncomingRequest $request, Response $response): void
        {
            $this->request = $request;
            $this->response = $response;
        }
    }

    class Model
    {
        protected BaseConnection $db;

        public function __construct()
        {
            $this->db = new BaseConnection((string) getenv('RECEIVER_DATABASE'));
        }
    }
}

namespace {
    require __DIR__ . '/../connect.php';

    define('APPPATH', rtrim((string) getenv('APPLICATION_DIRECTORY'), '/') . '/');

    spl_autoload_register(function (string $class): void {
        foreach (['App\\' => '', 'Config\\' => 'Config/'] as $prefix => $folder) {
            $path = APPPATH . $folder . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
            if (str_starts_with($class, $prefix) && is_file($path)) {
                require $path;
            }
        }
    });

    function config(string $name): object
    {
        $class = 'Config\\' . $name;

        return new $class();
    }

    function model(string $class): object
    {
        return new $class();
    }
}
