import Foundation

/// Runs a closure on a thread of its own and waits for what it returns.
///
/// What a test does to a thread, its signal mask say, must not stay behind in a shared one.
func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value {
    let box = ResultBox<Value>()
    let thread = Thread { box.put(body()) }
    thread.start()
    return box.take()
}

private final class ResultBox<Value: Sendable>: @unchecked Sendable {
    // Protected by the condition.
    private var value: Value?
    private let condition = NSCondition()

    func put(_ value: Value) {
        condition.lock()
        self.value = value
        condition.signal()
        condition.unlock()
    }

    func take() -> Value {
        condition.lock()
        defer { condition.unlock() }

        while true {
            if let value { return value }
            condition.wait()
        }
    }
}
