import Synchronization

/// All metrics of a process, and their text for Prometheus (exposition format 0.0.4).
///
/// Names and labels come from the code, never from a request, so their number is bounded.
/// Registering the same name and labels again gives the same metric.
public final class MetricsRegistry: Sendable {
    private enum Metric {
        case counter(Counter)
        /// A count that somebody else keeps, the kernel say.
        case foreignCounter(Gauge)
        case gauge(Gauge)
        case histogram(Histogram)

        var kind: String {
            switch self {
            case .counter, .foreignCounter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private struct Family {
        let kind: String
        let help: String
        /// By the text of their labels, `a="1",b="2"`.
        var series: [String: Metric] = [:]
    }

    private let families = Mutex<[String: Family]>([:])

    /// An empty registry.
    public init() {}

    /// The counter of this name and these labels; its name ends in `_total`.
    public func counter(
        _ name: String,
        help: String,
        labels: [String: String] = [:]
    ) -> Counter {
        let metric = register(name, help: help, labels: labels) { .counter(Counter()) }
        guard case .counter(let counter) = metric else {
            preconditionFailure("metric \(name) is a \(metric.kind) already")
        }
        return counter
    }

    /// A counter that somebody else keeps; its name ends in `_total`.
    ///
    /// - Parameters:
    ///   - name: of the family.
    ///   - help: one line for people.
    ///   - labels: constant names and values.
    ///   - read: called on the thread that renders, each time; never less than before.
    public func counter(
        _ name: String,
        help: String,
        labels: [String: String] = [:],
        read: @escaping @Sendable () -> Double
    ) {
        _ = register(name, help: help, labels: labels) { .foreignCounter(Gauge(read: read)) }
    }

    /// The gauge of this name and these labels.
    ///
    /// - Parameters:
    ///   - name: of the family.
    ///   - help: one line for people.
    ///   - labels: constant names and values.
    ///   - read: called on the thread that renders, each time; the first registration's counts.
    /// - Returns: the gauge; one that is read needs no keeping.
    @discardableResult
    public func gauge(
        _ name: String,
        help: String,
        labels: [String: String] = [:],
        read: (@Sendable () -> Double)? = nil
    ) -> Gauge {
        let metric = register(name, help: help, labels: labels) { .gauge(Gauge(read: read)) }
        guard case .gauge(let gauge) = metric else {
            preconditionFailure("metric \(name) is a \(metric.kind) already")
        }
        return gauge
    }

    /// The histogram of this name and these labels; its name ends in a unit, `_seconds` say.
    ///
    /// - Parameters:
    ///   - name: of the family.
    ///   - help: one line for people.
    ///   - labels: constant names and values.
    ///   - buckets: upper bounds, rising, in the unit of the name.
    /// - Returns: the histogram, to be kept by who observes.
    public func histogram(
        _ name: String,
        help: String,
        labels: [String: String] = [:],
        buckets: [Double] = Histogram.latencyBuckets
    ) -> Histogram {
        let metric = register(name, help: help, labels: labels) {
            .histogram(Histogram(bounds: buckets))
        }
        guard case .histogram(let histogram) = metric else {
            preconditionFailure("metric \(name) is a \(metric.kind) already")
        }
        return histogram
    }

    /// The text of all metrics, families and series in alphabetical order.
    ///
    /// A counter that grows meanwhile may be in it or not; a histogram's `_count` always equals
    /// its last bucket.
    public func render() -> String {
        // Copied out first: a gauge that is read may take locks of its own.
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text += "# HELP \(name) \(MetricText.escaped(family.help, quotes: false))\n"
            text += "# TYPE \(name) \(family.kind)\n"
            for (labels, metric) in family.series.sorted(by: { $0.key < $1.key }) {
                Self.append(metric, name: name, labels: labels, to: &text)
            }
        }
        return text
    }

    private func register(
        _ name: String,
        help: String,
        labels: [String: String],
        make: () -> Metric
    ) -> Metric {
        precondition(MetricText.isName(name), "\(name) is no name for a metric")
        let labelText = MetricText.labels(labels)
        return families.withLock { families -> Metric in
            if let metric = families[name]?.series[labelText] { return metric }
            let metric = make()
            var family = families[name] ?? Family(kind: metric.kind, help: help)
            precondition(
                family.kind == metric.kind,
                "metric \(name) is a \(family.kind) already, not a \(metric.kind)"
            )
            family.series[labelText] = metric
            families[name] = family
            return metric
        }
    }

    private static func append(
        _ metric: Metric,
        name: String,
        labels: String,
        to text: inout String
    ) {
        let suffix = labels.isEmpty ? "" : "{\(labels)}"
        switch metric {
        case .counter(let counter):
            text += "\(name)\(suffix) \(counter.value)\n"
        case .gauge(let gauge), .foreignCounter(let gauge):
            text += "\(name)\(suffix) \(MetricText.number(gauge.value))\n"
        case .histogram(let histogram):
            let counts = histogram.cumulativeCounts
            let bounds = histogram.bounds.map(MetricText.number) + ["+Inf"]
            let prefix = labels.isEmpty ? "" : labels + ","
            for (bound, count) in zip(bounds, counts) {
                text += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(count)\n"
            }
            text += "\(name)_sum\(suffix) \(MetricText.number(histogram.sum))\n"
            text += "\(name)_count\(suffix) \(counts.last ?? 0)\n"
        }
    }
}

/// The lexical rules of Prometheus' text format.
enum MetricText {
    /// `name="value"` pairs, sorted by name and joined by commas.
    static func labels(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { name, value in
            precondition(
                isName(name) && !name.contains(":") && name != "le", "\(name) is no label"
            )
            return "\(name)=\"\(escaped(value, quotes: true))\""
        }.joined(separator: ",")
    }

    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                true
            default:
                false
            }
        }
    }

    static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int(exactly: value).map(String.init) ?? "\(value)"
    }
}
