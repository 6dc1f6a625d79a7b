<?php

/** Makes the example's tables: `php migrate.php DATABASE SCHEMA`. */

require __DIR__ . '/../connect.php';

$pdo = connect($argv[1]);
prepare($pdo);
$pdo->exec((string) file_get_contents($argv[2]));
