<?php

namespace Config;

use CodeIgniter\Config\BaseConfig;

/**
 * Set in .env as `whatsapp.appSecret` and `whatsapp.verifyToken`, or in the environment.
 */
class WhatsApp extends BaseConfig
{
    /** Comma-separated while an app secret is being changed: any of them may have signed. */
    public string $appSecret = '';

    public string $verifyToken = '';

    public function __construct()
    {
        parent::__construct();
        $this->appSecret   = $this->appSecret ?: (string) getenv('WHATSAPP_APP_SECRET');
        $this->verifyToken = $this->verifyToken ?: (string) getenv('WHATSAPP_VERIFY_TOKEN');
    }
}
