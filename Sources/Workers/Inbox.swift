import Synchronization

/// Values that many threads put in and one thread takes out, all at once.
///
/// It needs no capacity of its own: what is put in answers something that the taker has asked for.
final class Inbox<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let wake: @Sendable () -> Void

    /// - Parameter wake: called when the inbox turns from empty to filled.
    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    func put(_ element: Element) {
        let wakes = elements.withLock { elements -> Bool in
            elements.append(element)
            return elements.count == 1
        }
        if wakes { wake() }
    }

    /// Everything that is waiting, in arrival order; never blocks.
    func takeAll() -> [Element] {
        elements.withLock { elements in
            defer { elements = [] }
            return elements
        }
    }
}
