<?php

use CodeIgniter\Router\RouteCollection;

/**
 * Add these two lines to yours. GET is the handshake of Meta's dashboard, POST what comes in.
 *
 * @var RouteCollection $routes
 */
$routes->get('webhook', 'Webhook::verify');
$routes->post('webhook', 'Webhook::receive');
