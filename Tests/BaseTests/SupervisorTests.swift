import Base
import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct SupervisorTests {
    /// What systemd would have been told.
    private final class Manager {
        let environment: [String: String]
        private let socket: Int32

        init(_ name: String, others: [String: String] = [:]) throws {
            environment = others.merging(["NOTIFY_SOCKET": name]) { ours, _ in ours }
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var bytes = Array(name.utf8)
            if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            let isNamed = bytes[0] != 0
            let length = socklen_t(2 + bytes.count + (isNamed ? 1 : 0))
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, length)
                }
            }
            try #require(result == 0, "bind: \(errno)")
        }

        deinit { close(socket) }

        /// Everything that was said since the last look.
        func heard() -> [String] {
            var all: [String] = []
            var buffer = [UInt8](repeating: 0, count: 256)
            while case let count = recv(socket, &buffer, buffer.count, 0), count > 0 {
                all.append(String(decoding: buffer.prefix(count), as: UTF8.self))
            }
            return all
        }
    }

    @Test func `ready, each beat and the stop are said once, to a path`() throws {
        let directory = try TemporaryDirectory()
        let manager = try Manager(
            directory.file("notify"), others: ["WATCHDOG_USEC": "7200000000"])
        let service = Supervisor(environment: manager.environment)
        service.ready()
        for _ in 0..<3 { service.beat() }
        service.stopping()
        #expect(manager.heard() == ["READY=1", "WATCHDOG=1", "STOPPING=1"])
        #expect(service.beatInterval == .seconds(3_600))
    }

    @Test func `an abstract name is spoken to as well`() throws {
        let name = "@supervisor-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let manager = try Manager(name)
        let service = Supervisor(environment: manager.environment)
        service.ready()
        #expect(manager.heard() == ["READY=1"])
    }

    @Test func `a beat that is due again is sent again`() throws {
        let directory = try TemporaryDirectory()
        let manager = try Manager(
            directory.file("notify"),
            others: ["WATCHDOG_USEC": "2", "WATCHDOG_PID": "\(getpid())"])
        let service = Supervisor(environment: manager.environment)
        var beats = 0
        waitUntil {
            service.beat()
            beats += manager.heard().count
            return beats >= 2
        }
        #expect(beats >= 2)
    }

    @Test func `a watchdog that is meant for another process gets no beat from us`() throws {
        let directory = try TemporaryDirectory()
        let manager = try Manager(
            directory.file("notify"), others: ["WATCHDOG_USEC": "2", "WATCHDOG_PID": "1"])
        let service = Supervisor(environment: manager.environment)
        service.beat()
        #expect(manager.heard().isEmpty && service.beatInterval == nil)
    }

    @Test(arguments: [
        "", "@", "relative", "vsock:2:1", "/" + String(repeating: "x", count: 200), "/nobody/there",
    ])
    func `nobody to tell is nothing to fail for`(path: String) {
        let environment = ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1"]
        let service = Supervisor(environment: environment)
        service.ready()
        service.beat()
        service.stopping()
    }
}
