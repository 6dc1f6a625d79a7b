<?php
defined('BASEPATH') OR exit('No direct script access allowed');

// Only the lines that matter here; the rest of your config.php stays as it is.
$config['csrf_protection'] = TRUE;
// Neither WhatsApp nor the workers have a token: without this line they get 403.
$config['csrf_exclude_uris'] = array('webhook');
