import Base

/// Every answer without a body, ready to be sent: made once, and given a new Date each second.
///
/// The bytes lie in one run of memory that lives as long as the table, so that an answer costs the
/// hot path a pointer and a length. Used by one thread.
final class AnswerTable {
    /// What the Connection field says.
    enum Persistence: UInt8, CaseIterable {
        /// Nothing: HTTP/1.1 goes on.
        case persistent
        /// `keep-alive`, as HTTP/1.0 clients want to hear.
        case keepAlive
        case close
    }

    /// Sent before a body that waits for leave.
    static let continuation: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
    private static let datePlaceholder = "Thu, 01 Jan 1970 00:00:00 GMT"

    // Owned: allocated in init, freed in deinit, written to by `refresh` alone.
    private let bytes: UnsafeMutablePointer<UInt8>
    private var spans: [(start: Int, count: Int)] = []
    private var dateOffsets: [Int] = []
    private var dateSeconds = Int64.min

    init() {
        var text: [UInt8] = []
        for status in HTTPStatus.allCases {
            for persistence in Persistence.allCases {
                let start = text.count
                let head = Self.head(status, persistence, fields: "Content-Length: 0\r\n")
                text.append(contentsOf: head.bytes)
                spans.append((start, text.count - start))
                dateOffsets.append(start + head.dateOffset)
            }
        }
        bytes = .allocate(capacity: text.count)
        bytes.initialize(from: text, count: text.count)
    }

    deinit { bytes.deallocate() }

    /// Sets the Date of all answers, where the second has changed since the last time.
    func refresh(now: Timestamp) {
        guard now.seconds != dateSeconds else { return }
        dateSeconds = now.seconds
        let date = Array(HTTPDate.text(now).utf8)
        for offset in dateOffsets { (bytes + offset).update(from: date, count: date.count) }
    }

    /// The whole answer; valid until the table goes, constant until the next `refresh`.
    func answer(_ status: HTTPStatus, _ persistence: Persistence) -> UnsafeRawBufferPointer {
        let span = spans[Int(status.rawValue) * 3 + Int(persistence.rawValue)]
        return UnsafeRawBufferPointer(start: bytes + span.start, count: span.count)
    }

    /// A 200 with `body` as plain text; for HEAD the same without the body.
    func challenge(_ body: [UInt8], _ persistence: Persistence, bodyIsSent: Bool) -> [UInt8] {
        let fields = """
            Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\
            Content-Length: \(body.count)\r\n
            """
        var (bytes, dateOffset) = Self.head(.ok, persistence, fields: fields)
        let date = Array(HTTPDate.text(Timestamp(seconds: max(0, dateSeconds))).utf8)
        bytes.replaceSubrange(dateOffset..<(dateOffset + date.count), with: date)
        return bodyIsSent ? bytes + body : bytes
    }

    private static func head(
        _ status: HTTPStatus,
        _ persistence: Persistence,
        fields: String
    ) -> (bytes: [UInt8], dateOffset: Int) {
        var text = "HTTP/1.1 \(status.code) \(status.phrase)\r\nDate: "
        let dateOffset = text.utf8.count
        text += "\(datePlaceholder)\r\n\(status.fields)\(fields)"
        switch persistence {
        case .persistent: break
        case .keepAlive: text += "Connection: keep-alive\r\n"
        case .close: text += "Connection: close\r\n"
        }
        return (Array((text + "\r\n").utf8), dateOffset)
    }
}

/// The form of dates in HTTP, always 29 bytes: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The text of a moment from 1970 to 9999.
    static func text(_ time: Timestamp) -> String {
        let date = time.date
        let day = days[Int(time.seconds / 86_400 % 7)]
        let clock = "\(two(date.hour)):\(two(date.minute)):\(two(date.second))"
        return "\(day), \(two(date.day)) \(months[date.month - 1]) \(date.year) \(clock) GMT"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
