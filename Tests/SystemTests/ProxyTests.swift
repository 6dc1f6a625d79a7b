import Foundation
import TestSupport
import Testing

/// The examples in deploy/, as an operator would take them over: the lines marked "change" changed,
/// and nothing else.
@Suite struct ProxyTests {
    enum Proxy: String, CaseIterable {
        case nginx, caddy
    }

    @Test(arguments: Proxy.allCases, [false, true])
    func `webhooks come through TLS, and nothing else does`(
        proxy: Proxy, checksClients: Bool
    ) throws {
        let installation = try Installation()
        let front = try ProxyRig(proxy, before: installation, checksClients: checksClients)
        try installation.startIngest()
        try front.start()
        defer { installation.stopPrograms() }

        let body = Data(#"{"object":"whatsapp_business_account","entry":[]}"#.utf8)
        #expect(try front.post(body, as: .whatsApp) == 200)
        // As large as WhatsApp's largest, and past nginx's default of 1 MB.
        let pad = String(repeating: "a", count: 3_000_000)
        let large = Data("{\"pad\":\"\(pad)\"}".utf8)
        #expect(try front.post(large, as: .whatsApp) == 200)
        let tooLarge = Data(repeating: 0x61, count: 5_000_000)
        // ingest refuses it before it has come whole, which Caddy reports in words of its own.
        let refusal = try front.post(tooLarge, as: .whatsApp)
        #expect(proxy == .caddy ? refusal != 200 : refusal == 413)
        #expect(try front.get("/metrics", as: .whatsApp) == 404)
        #expect(try front.get("/webhook/../healthz", as: .whatsApp) == 404)
        let token = "/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong"
        #expect(try front.get(token, as: .whatsApp) == 403)

        if checksClients {
            // nginx answers 400 to who brings no certificate; Caddy ends the handshake.
            #expect(try [400, 0].contains(front.post(body, as: .nobody)))
            #expect(try front.post(body, as: .stranger) == 403)
        } else {
            #expect(try front.post(body, as: .nobody) == 200)
        }
        let status = try installation.pipelinectlObject("status")
        let log = try #require(status["log"] as? [String: Any])
        #expect(log["last_id"] as? Int == (checksClients ? 2 : 3))
    }
}
