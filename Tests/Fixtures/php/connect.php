<?php

/** Opens a site's database: the path of an SQLite file, or a `mysql:` data source name. */

declare(strict_types=1);

function connect(string $database): PDO
{
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION];
    if (str_starts_with($database, 'mysql:')) {
        return new PDO($database, 'root', '', $options);
    }
    $pdo = new PDO('sqlite:' . $database, null, null, $options);
    $pdo->exec('PRAGMA busy_timeout = 5000');

    return $pdo;
}

/** Makes it ready for tables. */
function prepare(PDO $pdo): void
{
    if ($pdo->getAttribute(PDO::ATTR_DRIVER_NAME) === 'sqlite') {
        $pdo->exec('PRAGMA journal_mode = WAL');
    }
}
