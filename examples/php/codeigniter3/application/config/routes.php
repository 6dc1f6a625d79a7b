<?php
defined('BASEPATH') OR exit('No direct script access allowed');

// Add these two lines to yours. GET is the handshake of Meta's dashboard, POST what comes in.
$route['webhook']['GET'] = 'webhook/verify';
$route['webhook']['POST'] = 'webhook/receive';
