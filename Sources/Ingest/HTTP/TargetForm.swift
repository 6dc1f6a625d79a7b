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
            cut(from: start, to: target.end, in: base)
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
            cut(from: end, to: target.end, in: base)
        }
    }

    private mutating func cut(from start: Int, to end: Int, in base: UnsafePointer<UInt8>) {
        var question = start
        while question < end, base[question] != ByteClass.question { question += 1 }
        path = Span(start, to: question)
        query = question < end ? Span(question + 1, to: end) : Span()
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
