import Base
import Glibc

/// Waits until `condition` holds, looking at it every 20 ms, for at most `limit`.
///
/// A test waits for what it wants to see, never for a time to pass; the limit only ends a test that
/// would otherwise hang, so it is generous.
///
/// - Returns: whether the condition came to hold.
@discardableResult
public func waitUntil(
    within limit: Duration = .seconds(30),
    _ condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = MonotonicClock.now() + limit
    while try !condition() {
        guard MonotonicClock.now() < deadline else { return try condition() }
        poll(nil, 0, 20)
    }
    return true
}
