import Base
import Foundation
import Synchronization

/// Looks names up on threads of their own, since the system's resolver knows no deadline.
final class NameResolver: Sendable {
    /// How long an answer is used again; connections that are kept ask for none.
    static let keptDuration = Duration.seconds(30)

    private struct Entry {
        var addresses: [ServerAddress] = []
        var foundAt: Duration?
        var isUnderWay = false
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let wake: @Sendable () -> Void

    /// - Parameter wake: called on some thread when a look-up has ended.
    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    /// What is known of a name, or the promise of a wake.
    ///
    /// - Returns: nil while a look-up is under way, which this begins where needed; no addresses
    ///   where the name means none.
    func addresses(of host: String, port: UInt16, now: Duration) -> [ServerAddress]? {
        let numeric = ServerAddress.lookUp(host, port: port, isNumeric: true)
        if !numeric.isEmpty { return numeric }
        let name = "\(host):\(port)"
        let (known, begins) = entries.withLock { entries -> ([ServerAddress]?, Bool) in
            var entry = entries[name] ?? Entry()
            if let foundAt = entry.foundAt, now - foundAt < Self.keptDuration {
                return (entry.addresses, false)
            }
            defer { entries[name] = entry }

            let begins = !entry.isUnderWay
            entry.isUnderWay = true
            return (nil, begins)
        }
        if begins { begin(host, port: port, name: name) }
        return known
    }

    private func begin(_ host: String, port: UInt16, name: String) {
        let thread = Thread { [self] in
            let found = ServerAddress.lookUp(host, port: port, isNumeric: false)
            entries.withLock {
                $0[name] = Entry(addresses: found, foundAt: MonotonicClock.now())
            }
            wake()
        }
        thread.name = "resolver"
        thread.start()
    }

    /// Takes an answer once: a name that meant nothing is looked up again next time.
    func forgetFailure(of host: String, port: UInt16) {
        entries.withLock { entries in
            let name = "\(host):\(port)"
            if entries[name]?.foundAt != nil, entries[name]?.addresses.isEmpty == true {
                entries[name] = nil
            }
        }
    }
}
