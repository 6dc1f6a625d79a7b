<?php

/**
 * A stand-in for CodeIgniter 4, so that examples/php/codeigniter4 runs where the framework cannot
 * be installed. It is not CodeIgniter: it has the classes and methods that the example calls, with
 * the same names, arguments and results, and nothing else.
 *
 * Kept as in the framework, because the example depends on it: routes by HTTP verb; CSRF protection
 * as a filter with `except`; what a controller throws becomes status 500; inside a transaction a
 * query that fails throws only after transException(true).
 *
 * APPLICATION_DIRECTORY: the example's `app`. RECEIVER_DATABASE: an SQLite file, or a
 * `mysql:` data source name.
 */

declare(strict_types=1);

require __DIR__ . '/framework.php';

use CodeIgniter\HTTP\IncomingRequest;
use CodeIgniter\HTTP\Response;
use CodeIgniter\Router\RouteCollection;
use Config\Filters;

function respond(): Response
{
    $response = new Response();
    $verb = strtoupper($_SERVER['REQUEST_METHOD']);
    $uri = trim((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), '/');

    $csrf = (new Filters())->globals['before']['csrf'] ?? null;
    $isExcept = false;
    foreach ($csrf['except'] ?? [] as $path) {
        // `*` stands for anything; matched without regard to case.
        $pattern = str_replace('*', '.*', trim($path, '/ '));
        $isExcept = $isExcept || preg_match('#\A' . $pattern . '\z#iu', $uri) === 1;
    }
    if ($csrf !== null && $verb === 'POST' && !$isExcept) {
        return $response->setStatusCode(403)->setBody('The action you requested is not allowed.');
    }

    $routes = new RouteCollection();
    require APPPATH . 'Config/Routes.php';
    $handler = $routes->handler($verb, $uri);
    if ($handler === null) {
        return $response->setStatusCode(404);
    }
    [$class, $method] = explode('::', 'App\\Controllers\\' . $handler);
    $controller = new $class();
    $controller->initController(new IncomingRequest(), $response);

    return $controller->{$method}();
}

try {
    $response = respond();
} catch (Throwable $error) {
    error_log('CRITICAL - ' . get_class($error) . ': ' . $error->getMessage());
    $response = (new Response())->setStatusCode(500)->setBody('Whoops!');
}
$response->send();
