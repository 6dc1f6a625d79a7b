<?php

/** Prints the rows of a query as JSON: `php rows.php DATABASE SQL`. */

declare(strict_types=1);

require __DIR__ . '/connect.php';

$rows = connect($argv[1])->query($argv[2]);
echo json_encode($rows->columnCount() > 0 ? $rows->fetchAll(PDO::FETCH_ASSOC) : []);
