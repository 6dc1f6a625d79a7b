import Base
import Foundation
import Queue
import Testing

@testable import pipelinectl

@Suite struct TopFiguresTests {
    private static func sample(
        _ rig: CommandRig,
        at seconds: Int,
        ingest: String? = nil,
        workers: String? = nil
    ) throws -> TopSample {
        TopSample(
            moment: .seconds(seconds), now: CommandRig.now, statistics: try rig.statistics(),
            walByteCount: 3 << 20, spoolByteCount: 0, diskFreeByteCount: 1 << 30,
            ingest: ingest.map { PrometheusText($0) }, workers: workers.map { PrometheusText($0) })
    }

    @Test func `rates are what happened between two looks`() throws {
        let rig = try CommandRig()
        let first = try Self.sample(
            rig, at: 100, ingest: "ingest_webhook_bytes_total 1000\n",
            workers: #"workers_forward_attempts_total{outcome="delivered"} 10"# + "\n"
                + #"workers_forward_attempts_total{outcome="refused"} 1"# + "\n")
        for _ in 0..<4 { try rig.append(Array("{}".utf8)) }
        let second = try Self.sample(
            rig, at: 102, ingest: "ingest_webhook_bytes_total 5000\n",
            workers: #"workers_forward_attempts_total{outcome="delivered"} 14"# + "\n"
                + #"workers_forward_attempts_total{outcome="refused"} 7"# + "\n")
        let figures = TopFigures(second, since: first)
        #expect(figures.webhookRate == 2)
        #expect(figures.webhookByteRate == 2_000)
        #expect(figures.failedAttemptRate == 3)
        #expect(figures.deliveryRate == 0)
    }

    @Test func `a program that was started in between, or is not there, has no rate`() throws {
        let rig = try CommandRig()
        let first = try Self.sample(rig, at: 1, ingest: "ingest_webhook_bytes_total 1000\n")
        let second = try Self.sample(rig, at: 2, ingest: "ingest_webhook_bytes_total 5\n")
        #expect(TopFigures(second, since: first).webhookByteRate == nil)
        let gone = try Self.sample(rig, at: 2)
        #expect(TopFigures(gone, since: first).webhookByteRate == nil)
        #expect(TopFigures(gone, since: first).breaker == nil)
        #expect(TopFigures(first, since: nil).webhookRate == nil)
    }

    @Test func `quantiles are Prometheus' own`() {
        let buckets = [(0.1, 50.0), (0.2, 90.0), (1.0, 100.0), (.infinity, 100.0)]
            .map { (bound: $0.0, count: $0.1) }
        #expect(TopFigures.quantile(0.5, of: buckets) == 0.1)
        #expect(abs((TopFigures.quantile(0.9, of: buckets) ?? 0) - 0.2) < 1e-9)
        #expect(abs((TopFigures.quantile(0.99, of: buckets) ?? 0) - 0.92) < 1e-9)
        #expect(TopFigures.quantile(0.25, of: buckets) == 0.05)
        // All above the last bound: that bound is all that is known.
        let high = [(bound: 0.1, count: 0.0), (bound: .infinity, count: 4.0)]
        #expect(TopFigures.quantile(0.5, of: high) == 0.1)
        #expect(TopFigures.quantile(0.5, of: [(bound: 0.1, count: 0.0)]) == nil)
        #expect(TopFigures.quantile(0.5, of: []) == nil)
    }

    @Test func `hostile words in the settings and errors cannot touch the terminal`() throws {
        let rig = try CommandRig()
        let figures = TopFigures(try Self.sample(rig, at: 1), since: nil)
        let view = TopView(
            figures: figures, path: "/tmp/\u{1B}[2J\u{202E}x\ny.db", trouble: "\u{9B}31mno\r\n")
        let lines = view.lines(columns: 80, rows: 24, colour: false)
        #expect(lines.count <= 24)
        for line in lines {
            #expect(line.count <= 80)
            #expect(!line.unicodeScalars.contains { HostileText.isHidden($0) }, "\(line)")
        }
    }

    @Test func `once, for a pipe: two looks and the end`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let text = rig.run("top", "--once", "--interval", "1")
        #expect(text.code == ExitCode.ok)
        #expect(text.output.contains("\ndead      1 (refused 1): pipelinectl dead list\n"))
        #expect(!text.output.contains("\u{1B}"))
        let json = try rig.run("top", "--interval", "1", "--json").json()
        #expect(json["dead_letters"] as? Int == 1)
        #expect((json["interval_ms"] as? Int ?? 0) >= 1_000)
        #expect(json["ingest_ready"] is NSNull)
    }

    @Test func `without a terminal it says how to do without`() throws {
        let rig = try CommandRig()
        let outcome = rig.run("top")
        #expect(outcome.code == ExitCode.usage)
        #expect(outcome.error.contains("add --once"))
    }
}
