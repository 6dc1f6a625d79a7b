import Base
import Glibc

/// Waits until `condition` holds, looking at it every 20 ms, for at most `limit`.
///
/// A test waits for what it wants to see, never for a time to pass; the limit only ends a test that
/// would otherwise hang, so it is generous. Time in which this process was itself stopped or
/// starved does not count: between two looks never more than a second.
///
/// - Returns: whether the condition came to hold.
@discardableResult
public func waitUntil(
    within limit: Duration = .seconds(30),
    _ condition: () throws -> Bool
) rethrows -> Bool {
    var left = limit
    var last = MonotonicClock.now()
    while try !condition() {
        let now = MonotonicClock.now()
        left -= min(now - last, .seconds(1))
        last = now
        guard left > .zero else { return try condition() }
        poll(nil, 0, 20)
    }
    return true
}
