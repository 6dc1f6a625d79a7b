import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What docs/PHP.md says of PHP's own settings, seen with the examples under php-fpm and nginx.
    @Suite struct ReceiverPitfallTests {
        private static let long = Webhook.text(
            String(repeating: "x", count: 3_000_000), from: "4915850001", id: "wamid.LONG")

        private func site(_ settings: [String]) throws -> (PHPSite, SitePoster) {
            let site = try PHPSite(.plain, on: .fpm)
            try site.start(phpSettings: settings)
            return (site, SitePoster(site: site))
        }

        @Test func `a body beyond post_max_size is read all the same`() throws {
            let (site, poster) = try site(["post_max_size=1M"])
            #expect(try poster.post(Self.long, [("X-Delivery-Id", "1")]) == 200)
            #expect(try site.rows("select id from delivery").count == 1)
            #expect(try poster.post(Self.long, [], secret: "another") == 401)
        }

        @Test func `with display_errors a warning takes the status away, whatever it was`() throws {
            let (_, poster) = try site([
                "post_max_size=1M", "display_errors=1", "display_startup_errors=1",
                "output_buffering=0",
            ])
            #expect(try poster.post(Self.long, [], secret: "another") == 200)
        }

        @Test func `a body beyond nginx's limit is a 413 before PHP`() throws {
            let (site, poster) = try site([])
            let body = Webhook.text(
                String(repeating: "x", count: 9_000_000), from: "4915850001", id: "wamid.LONG")
            #expect(try poster.post(body, [("X-Delivery-Id", "1")]) == 413)
            #expect(try site.rows("select id from delivery").isEmpty)
        }
    }
}
