/// What a program of ours shows at `/metrics`, to be asked for by name.
///
/// Reads the text format of our own `MetricsRegistry`; lines of another form are left out.
struct PrometheusText: Sendable {
    /// By name and labels as they are written, `ingest_requests_total{code="200"}`.
    private let series: [Substring: Double]

    init(_ text: String) {
        var series: [Substring: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            series[line[..<space]] = Double(line[line.index(after: space)...])
        }
        self.series = series
    }

    /// The value of one series; `labels` as they are written, `state="open"`.
    ///
    /// Series that have other labels besides, a destination's name say, are added up.
    func value(_ name: String, _ labels: String = "") -> Double? {
        if let exact = series[labels.isEmpty ? Substring(name) : "\(name){\(labels)}"] {
            return exact
        }
        let found = series.filter { key, _ in
            guard key.hasPrefix(name + "{") else { return false }
            let own = key.dropFirst(name.count + 1).dropLast()
            return labels.isEmpty || ("," + own + ",").contains("," + labels + ",")
        }
        return found.isEmpty ? nil : found.values.reduce(0, +)
    }

    /// All series of a name together; `nil` where there is none.
    func sum(_ name: String) -> Double? {
        let found = series.filter { $0.key == name || $0.key.hasPrefix(name + "{") }
        return found.isEmpty ? nil : found.values.reduce(0, +)
    }

    /// A histogram's bounds with how many were at most that, rising.
    func buckets(_ name: String) -> [(bound: Double, count: Double)] {
        let start = name + "_bucket{le=\""
        return series.compactMap { key, count in
            guard key.hasPrefix(start) else { return nil }
            let bound = key.dropFirst(start.count).prefix { $0 != "\"" }
            return Double(bound == "+Inf" ? "inf" : bound).map { ($0, count) }
        }.sorted { $0.bound < $1.bound }
    }
}
