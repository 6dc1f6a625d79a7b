import Foundation
import Testing

@testable import Base

@Suite struct SystemCallTests {
    @Test func `an interrupted call is made again`() throws {
        var callCount = 0
        let result: Int = try systemCall("read") {
            callCount += 1
            errno = EINTR
            return callCount < 3 ? -1 : 7
        }
        #expect(result == 7)
        #expect(callCount == 3)
    }

    @Test func `an error carries the call, the code and the path`() {
        let expected = SystemError(call: "open", code: EACCES, path: "/etc/shadow")
        #expect(throws: expected) {
            try systemCall("open", path: "/etc/shadow") { () -> Int32 in
                errno = EACCES
                return -1
            }
        }
        #expect(expected.description == "open /etc/shadow: Permission denied")
        #expect(SystemError(call: "poll", code: ENOMEM).description.hasPrefix("poll: "))
    }

    @Test func `a descriptor is closed when its owner lets go`() throws {
        var number: Int32 = -1
        do {
            let descriptor = Descriptor(
                adopting: try systemCall("socket") {
                    socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                })
            number = descriptor.rawValue
            var status = stat()
            #expect(fstat(number, &status) == 0)
            #expect(status.st_mode & S_IFMT == S_IFSOCK)
        }
        // Another thread may have been given the number meanwhile, though hardly for a socket.
        var status = stat()
        #expect(fstat(number, &status) == -1 || status.st_mode & S_IFMT != S_IFSOCK)
    }
}
