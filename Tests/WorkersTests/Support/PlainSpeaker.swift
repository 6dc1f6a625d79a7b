import Base
import Foundation
import Glibc

/// Answers whatever comes, a TLS hello say, with a line of plain HTTP.
final class PlainSpeaker: Sendable {
    let port: UInt16
    private let listener: Int32

    init() throws {
        let listener = try systemCall("socket") { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try systemCall("bind") { bind(listener, address, length) }
                try systemCall("listen") { listen(listener, 8) }
                try systemCall("getsockname") { getsockname(listener, address, &length) }
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        self.listener = listener
        Thread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                var byte: UInt8 = 0
                recv(connection, &byte, 1, 0)
                let line = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
                send(connection, line, line.count, Int32(MSG_NOSIGNAL))
                close(connection)
            }
            close(listener)
        }.start()
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }
}
