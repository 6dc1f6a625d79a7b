import Base
import Foundation
import Glibc
import Queue
import Synchronization

/// Measures the programs and their files once a second, for a page that shows whether all is flat.
public final class Meter: Sendable {
    /// One second; a program that is not running has no figures.
    public struct Sample: Sendable {
        var seconds = 0.0
        var memory: [Pipeline.Program: Double] = [:]
        var descriptors: [Pipeline.Program: Double] = [:]
        var databaseBytes = 0.0
        var walBytes = 0.0
        var spoolFiles = 0.0
        var lag = 0.0
        var waiting = 0.0
        var acknowledged = 0.0
    }

    /// What is plotted: a title, a unit, and how it is read from a sample.
    public struct Series: Sendable {
        /// As the page calls it.
        public let title: String
        let value: @Sendable (Sample) -> Double?

        /// Every line of the page.
        public static let all: [Series] =
            Pipeline.Program.allCases.flatMap { program in
                [
                    Series(title: "\(program): memory, MB") { $0.memory[program] },
                    Series(title: "\(program): descriptors") { $0.descriptors[program] },
                ]
            } + [
                Series(title: "database, MB") { $0.databaseBytes / 1e6 },
                Series(title: "WAL, MB") { $0.walBytes / 1e6 },
                Series(title: "spool, files") { $0.spoolFiles },
                Series(title: "lag of the slower consumer, webhooks") { $0.lag },
                Series(title: "events that wait for PHP") { $0.waiting },
                Series(title: "acknowledged, thousands") { $0.acknowledged / 1e3 },
            ]
    }

    private let location: QueueLocation
    private let witness: Witness
    private let start = MonotonicClock.now()
    private let samples = Mutex<[Sample]>([])

    init(location: QueueLocation, witness: Witness) {
        self.location = location
        self.witness = witness
    }

    /// Takes one sample.
    func take(_ processes: [Pipeline.Program: pid_t]) {
        var sample = Sample()
        sample.seconds = Double((MonotonicClock.now() - start).milliseconds) / 1_000
        for (program, processID) in processes {
            sample.memory[program] = Self.memory(of: processID)
            sample.descriptors[program] = Self.descriptors(of: processID)
        }
        sample.databaseBytes = Double(FileFacts.byteCount(location.path))
        sample.walBytes = Double(FileFacts.byteCount(location.walPath))
        let spool = try? FileManager.default.contentsOfDirectory(atPath: location.spoolDirectory)
        sample.spoolFiles = Double(spool?.count ?? 0)
        if let books = witness.look() {
            sample.lag = Double(books.waitingWebhookCount)
            sample.waiting = Double(books.count(.waiting))
            sample.acknowledged = Double(books.acknowledgedCount)
        }
        samples.withLock { $0.append(sample) }
    }

    private static func memory(of processID: pid_t) -> Double? {
        let status = try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 / 1e3 }
    }

    private static func descriptors(of processID: pid_t) -> Double? {
        let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd")
        return names.map { Double($0.count) }
    }

    /// What grew: the median of the last quarter against that of the second, and by what factor it
    /// may be more.
    public func growths(factor: Double, slack: Double) -> [String] {
        let all = samples.withLock { $0 }
        guard all.count >= 40 else { return [] }
        let quarter = all.count / 4
        return Series.all.dropLast().compactMap { series in
            let early = Self.median(all[quarter..<(2 * quarter)].compactMap(series.value))
            let late = Self.median(all[(3 * quarter)...].compactMap(series.value))
            guard late > early * factor + slack else { return nil }
            return "\(series.title): \(early) in the second quarter, \(late) in the last"
        }
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    // MARK: The page

    /// Everything as one HTML page that needs nothing else.
    public func page(title: String) -> String {
        let all = samples.withLock { $0 }
        let end = max(all.last?.seconds ?? 1, 1)
        let plots = Series.all.map { Self.plot($0, all, end) }.joined(separator: "\n")
        return """
            <!doctype html><meta charset="utf-8"><title>\(title)</title>
            <style>body{font:14px sans-serif;margin:2em}svg{display:block;margin:0 0 1.5em}</style>
            <h1>\(title)</h1>
            \(plots)
            """
    }

    private static func plot(_ series: Series, _ samples: [Sample], _ end: Double) -> String {
        let points = samples.compactMap { sample in
            series.value(sample).map { (sample.seconds, $0) }
        }
        let top = max(points.map(\.1).max() ?? 1, 1e-9)
        let line = points.map { seconds, value in
            String(format: "%.1f,%.1f", seconds / end * 900, 120 - value / top * 115)
        }.joined(separator: " ")
        let last = points.last?.1 ?? 0
        return """
            <div>\(series.title): at most \(String(format: "%.1f", top)), \
            at the end \(String(format: "%.1f", last))</div>
            <svg width="900" height="122" style="background:#f4f4f4"><polyline fill="none" \
            stroke="#246" points="\(line)"/></svg>
            """
    }
}
