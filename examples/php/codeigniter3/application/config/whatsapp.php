<?php
defined('BASEPATH') OR exit('No direct script access allowed');

// Comma-separated while an app secret is being changed: any of them may have signed.
$config['whatsapp_app_secret'] = (string) getenv('WHATSAPP_APP_SECRET');
$config['whatsapp_verify_token'] = (string) getenv('WHATSAPP_VERIFY_TOKEN');
