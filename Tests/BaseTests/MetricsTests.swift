import Dispatch
import Testing

@testable import Base

@Suite struct MetricsTests {
    @Test func `the text of a registry`() {
        let registry = MetricsRegistry()
        registry.counter("webhooks_total", help: "Webhooks\nstored \\ all", labels: ["secret": "b"])
            .add(3)
        registry.counter("webhooks_total", help: "ignored", labels: ["secret": "a\"\\\n"]).add()
        registry.gauge("depth_webhooks", help: "Waiting").set(2.5)
        registry.gauge("age_seconds", help: "Oldest", read: { 7 })
        let histogram = registry.histogram(
            "commit_seconds", help: "Commits", labels: ["program": "ingest"], buckets: [0.01, 1])
        histogram.observe(.milliseconds(5))
        histogram.observe(.milliseconds(10))
        histogram.observe(.milliseconds(500))
        histogram.observe(.seconds(2))
        #expect(
            registry.render() == """
                # HELP age_seconds Oldest
                # TYPE age_seconds gauge
                age_seconds 7
                # HELP commit_seconds Commits
                # TYPE commit_seconds histogram
                commit_seconds_bucket{program="ingest",le="0.01"} 2
                commit_seconds_bucket{program="ingest",le="1"} 3
                commit_seconds_bucket{program="ingest",le="+Inf"} 4
                commit_seconds_sum{program="ingest"} 2.515
                commit_seconds_count{program="ingest"} 4
                # HELP depth_webhooks Waiting
                # TYPE depth_webhooks gauge
                depth_webhooks 2.5
                # HELP webhooks_total Webhooks\\nstored \\\\ all
                # TYPE webhooks_total counter
                webhooks_total{secret="a\\"\\\\\\n"} 1
                webhooks_total{secret="b"} 3

                """)
    }

    @Test func `the same name and labels give the same metric`() {
        let registry = MetricsRegistry()
        let first = registry.counter("a_total", help: "", labels: ["x": "1", "y": "2"])
        #expect(first === registry.counter("a_total", help: "", labels: ["y": "2", "x": "1"]))
        #expect(first !== registry.counter("a_total", help: "", labels: ["x": "1"]))
        #expect(registry.gauge("g", help: "") === registry.gauge("g", help: ""))
        #expect(registry.histogram("h", help: "") === registry.histogram("h", help: ""))
    }

    @Test func `nothing is lost when many threads count`() {
        let registry = MetricsRegistry()
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let counter = registry.counter("a_total", help: "")
            let histogram = registry.histogram("h_bytes", help: "", buckets: [1, 2])
            for number in 0..<5_000 {
                counter.add(2)
                histogram.observe(count: number % 4)
            }
        }
        #expect(registry.counter("a_total", help: "").value == 80_000)
        let text = registry.render()
        #expect(text.contains("h_bytes_bucket{le=\"1\"} 20000\n"))
        #expect(text.contains("h_bytes_bucket{le=\"2\"} 30000\n"))
        #expect(text.contains("h_bytes_sum 60000\n"))
        #expect(text.contains("h_bytes_count 40000\n"))
    }

    @Test func `a gauge that is read may render the registry's other metrics`() {
        let registry = MetricsRegistry()
        let counter = registry.counter("a_total", help: "")
        registry.gauge(
            "b", help: "",
            read: { [unowned registry] in
                Double(registry.counter("a_total", help: "").value)
            })
        counter.add(4)
        #expect(registry.render().contains("\nb 4\n"))
    }

    @Test(
        arguments: [
            (0, "0"), (-3, "-3"), (0.1, "0.1"), (1e300, "1e+300"), (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)])
    func `numbers in Prometheus' way`(number: Double, text: String) {
        #expect(MetricText.number(number) == text)
    }

    @Test func `names of metrics`() {
        for name in ["a", "a_b:c9", "_x"] { #expect(MetricText.isName(name)) }
        for name in ["", "9a", "a-b", "a b", "é", "a\n"] { #expect(!MetricText.isName(name)) }
    }

    @Test func `a metric of two kinds stops the process`() async {
        await #expect(processExitsWith: .failure) {
            let registry = MetricsRegistry()
            _ = registry.counter("a_total", help: "")
            registry.gauge("a_total", help: "", labels: ["x": "1"])
        }
    }
}
