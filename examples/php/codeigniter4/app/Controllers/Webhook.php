<?php

namespace App\Controllers;

use App\Libraries\WhatsAppBody;
use App\Models\DeliveryModel;
use CodeIgniter\Controller;
use CodeIgniter\HTTP\ResponseInterface;
use RuntimeException;

/**
 * Takes what the workers deliver, and what WhatsApp would send itself: the checks are the same.
 */
class Webhook extends Controller
{
    /** The handshake: only WhatsApp makes it, and only while it calls this site directly. */
    public function verify(): ResponseInterface
    {
        // PHP makes hub_verify_token of hub.verify_token.
        $token = config('WhatsApp')->verifyToken;

        if ($token === '' || ! hash_equals($token, (string) $this->request->getGet('hub_verify_token'))) {
            return $this->response->setStatusCode(403);
        }

        return $this->response->setContentType('text/plain')
            ->setBody((string) $this->request->getGet('hub_challenge'));
    }

    /** What it throws becomes a 500, and the delivery comes again. Never catch it into a 200. */
    public function receive(): ResponseInterface
    {
        // The raw bytes: what getJSON() and json_encode make of them has another signature.
        $body      = (string) $this->request->getBody();
        $signature = $this->request->getHeaderLine('X-Hub-Signature-256');

        if (! WhatsAppBody::isSigned($body, $signature, config('WhatsApp')->appSecret)) {
            return $this->response->setStatusCode(401);
        }

        $replay = (int) $this->request->getHeaderLine('X-Delivery-Replay');
        $model  = model(DeliveryModel::class);

        foreach ($this->shares($body, WhatsAppBody::entries($body)) as $id => $share) {
            $model->take((string) $id, $replay, $share);
        }

        return $this->response->setStatusCode(200);
    }

    /**
     * Delivery id => its entries. Several ids (FORWARD_BATCH_MAX above 1): one entry for each, in
     * their order. No id: from WhatsApp itself, where equal bytes are the same webhook.
     */
    private function shares(string $body, array $entries): array
    {
        $header = $this->request->getHeaderLine('X-Delivery-Id');

        if ($header === '') {
            return [hash('sha256', $body) => $entries];
        }

        $ids = array_map('trim', explode(',', $header));

        if (count($ids) === 1) {
            return [$ids[0] => $entries];
        }

        if (count($ids) !== count($entries)) {
            throw new RuntimeException('as many ids as entries are expected');
        }

        return array_combine($ids, array_map(static fn ($entry) => [$entry], $entries));
    }
}
