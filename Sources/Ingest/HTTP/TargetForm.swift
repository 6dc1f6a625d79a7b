/// Where a request target points: its path and query, whichever of the four forms it came in.
///
/// - origin-form, `/path?query`: everybody.
/// - absolute-form, `http://host/path?query`: a server must take it, although only proxies are sent
///   it.
/// - asterisk-form, `*`: OPTIONS alone. It has no path, so that it never meets the webhook's.
/// - authority-form, `host:port`: CONNECT alone, likewise.
struct TargetForm: Equatable {
    var path = Span()
    var query = Span()

    /// - Returns: nil where the target is in no form that its method allows.
    init?(_ target: Span, of method: Method, in base: UnsafePointer<UInt8>) {
        let start = Int(target.start)
        guard PercentTriples.areWellFormed(target.bytes(at: base)) else { return nil }
        if method == .connect {
            guard Authority.isValid(target.bytes(at: base), portIsRequired: true) else {
                return nil
            }
            return
        }
        switch base[start] {
        case ByteClass.slash:
            guard cut(from: start, to: target.end, in: base) else { return nil }
        case ByteClass.asterisk:
            guard method == .options, target.count == 1 else { return nil }
        default:
            guard let authority = Self.authorityStart(target, in: base) else { return nil }
            var end = authority
            while end < target.end, base[end] != ByteClass.slash, base[end] != ByteClass.question {
                end += 1
            }
            let host = Span(authority, to: end)
            guard !host.isEmpty, Authority.isValid(host.bytes(at: base)) else { return nil }
            guard cut(from: end, to: target.end, in: base) else { return nil }
            // RFC 9110, 4.2.3: an empty path is `/`, but for OPTIONS, where it stands for `*`.
            if path.isEmpty, method != .options { path = Span(authority - 1, to: authority) }
        }
    }

    /// - Returns: false where a bracket stands that belongs to addresses alone.
    private mutating func cut(from start: Int, to end: Int, in base: UnsafePointer<UInt8>) -> Bool {
        var question = end
        for index in start..<end {
            switch base[index] {
            case ByteClass.question: question = min(question, index)
            case ByteClass.bracketOpen, ByteClass.bracketClose: return false
            default: break
            }
        }
        path = Span(start, to: question)
        query = question < end ? Span(question + 1, to: end) : Span()
        return true
    }

    /// The offset behind `http://` or `https://`, in any case.
    private static func authorityStart(_ target: Span, in base: UnsafePointer<UInt8>) -> Int? {
        let bytes = target.bytes(at: base)
        for scheme: StaticString in ["http://", "https://"] {
            let count = scheme.utf8CodeUnitCount
            if bytes.count >= count,
                UnsafeRawBufferPointer(rebasing: bytes[..<count]).matches(scheme)
            {
                return Int(target.start) + count
            }
        }
        return nil
    }
}

/// `%` and two hexadecimal digits.
enum PercentTriples {
    static func areWellFormed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if bytes[index] == ByteClass.percent {
                guard index + 2 < bytes.count,
                    ByteClass.hexValue(bytes[index + 1]) != nil,
                    ByteClass.hexValue(bytes[index + 2]) != nil
                else { return false }
                index += 2
            }
            index += 1
        }
        return true
    }
}
