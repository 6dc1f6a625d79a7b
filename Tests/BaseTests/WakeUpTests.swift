import Foundation
import Testing

@testable import Base

@Suite struct WakeUpTests {
    @Test func `signals before a wait are one wake`() throws {
        let wakeUp = try WakeUp()
        wakeUp.signal()
        wakeUp.signal()
        #expect(wakeUp.wait(timeout: nil))
        #expect(!wakeUp.wait(timeout: .zero))
    }

    @Test func `a wait without a signal takes its time and no less`() throws {
        let wakeUp = try WakeUp()
        let start = MonotonicClock.now()
        #expect(!wakeUp.wait(timeout: .microseconds(20_500)))
        #expect(MonotonicClock.now() - start >= .microseconds(20_500))
        #expect(!wakeUp.wait(timeout: .seconds(-1)))
    }

    @Test func `a signal from another thread wakes a wait that has no end`() throws {
        let wakeUp = try WakeUp()
        let other = try WakeUp()
        let thread = Thread {
            _ = other.wait(timeout: .seconds(60))
            wakeUp.signal()
        }
        thread.start()
        other.signal()
        #expect(wakeUp.wait(timeout: nil))
    }

    @Test func `the descriptor is readable until it is drained`() throws {
        let wakeUp = try WakeUp()
        wakeUp.drain()
        #expect(!Poll.wait(wakeUp.descriptor, for: POLLIN, timeout: .zero))
        wakeUp.signal()
        #expect(Poll.wait(wakeUp.descriptor, for: POLLIN, timeout: .zero))
        wakeUp.drain()
        #expect(!Poll.wait(wakeUp.descriptor, for: POLLIN, timeout: .zero))
    }
}

@Suite struct SignalWatcherTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal is read instead of killing the process`(signal: Int32) throws {
        let received = onOwnThread { () -> [Int32?] in
            guard let watcher = try? SignalWatcher() else { return [] }
            let before = watcher.next()
            // To this thread alone: the others of the test process do not block it.
            pthread_kill(pthread_self(), signal)
            let isReadable = Poll.wait(watcher.descriptor, for: POLLIN, timeout: .zero)
            return [before, isReadable ? watcher.wait() : nil, watcher.next()]
        }
        #expect(received == [nil, signal, nil])
    }

    @Test func `a broken pipe is an error of the write`() throws {
        let code = onOwnThread { () -> Int32 in
            guard let watcher = try? SignalWatcher() else { return 0 }
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            close(ends[0])
            defer { close(ends[1]) }

            var byte: UInt8 = 0
            let result = write(ends[1], &byte, 1)
            let code = errno
            withExtendedLifetime(watcher) {}
            return result == -1 ? code : 0
        }
        #expect(code == EPIPE)
    }
}
