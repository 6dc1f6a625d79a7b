import Glibc

/// Reads requests from one connection, as many as come: what our own client sends, and no more.
struct RequestReader {
    struct Request {
        /// Names in lower case.
        let headers: [String: String]
        let body: [UInt8]
    }

    private let connection: Int32
    private var waiting: [UInt8] = []

    init(_ connection: Int32) { self.connection = connection }

    /// - Returns: `nil` where the connection has ended.
    mutating func next() -> Request? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = waiting.firstRange(of: end) {
                let head = String(decoding: waiting[..<range.lowerBound], as: UTF8.self)
                let headers = Self.fields(of: head)
                let whole = range.upperBound + (Int(headers["content-length"] ?? "") ?? 0)
                if waiting.count >= whole {
                    defer { waiting.removeFirst(whole) }
                    return Request(headers: headers, body: Array(waiting[range.upperBound..<whole]))
                }
            }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            waiting += buffer[..<count]
        }
    }

    func answer(_ status: Int) {
        let text = "HTTP/1.1 \(status) Oracle\r\nContent-Length: 2\r\n\r\nok"
        _ = text.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }

    private static func fields(of head: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in head.split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        return fields
    }
}
