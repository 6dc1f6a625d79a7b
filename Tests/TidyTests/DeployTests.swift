import Testing

/// What stands in `deploy/` for Prometheus and Grafana, against the code and the pages.
@Suite struct DeployTests {
    private static let rulesPath = "deploy/prometheus/alerts.yml"
    private static let rulesTestPath = "deploy/prometheus/alerts_test.yml"

    @Test(arguments: [rulesPath, rulesTestPath, "deploy/grafana/pipeline.json"])
    func `every metric that is watched exists`(path: String) throws {
        let file = try #require(SourceTree.file(at: path))
        let known = Documents.registeredMetrics(in: TreeTests.files)
        let used = Documents.usedMetrics(in: file, known: known)
        #expect(used.count > 10)
        #expect(used.subtracting(known).sorted() == [], "no program has them")
    }

    @Test func `every alert has a runbook, and every link leads to one`() throws {
        let rules = try #require(SourceTree.file(at: Self.rulesPath))
        let page = try #require(SourceTree.file(at: "docs/OPERATIONS.md"))
        let alerts = Self.alerts(in: rules)
        #expect(alerts.count > 15)
        let links = matches(of: "runbook: docs/OPERATIONS\\.md#(\\S+)", in: rules.text)
            .map { $0.groups[1] }
        #expect(links == alerts.map { $0.lowercased() })
        #expect(Set(links).subtracting(Documents.anchors(in: page)).sorted() == [])
    }

    @Test func `every alert is seen to fire and seen to stay quiet`() throws {
        let rules = try #require(SourceTree.file(at: Self.rulesPath))
        let tests = try #require(SourceTree.file(at: Self.rulesTestPath))
        let cases = matches(of: "alertname: (\\w+)\\n +exp_alerts:( \\[\\])?", in: tests.text)
        for alert in Self.alerts(in: rules) {
            let kinds = cases.filter { $0.groups[1] == alert }.map { $0.groups[2].isEmpty }
            #expect(Set(kinds) == [true, false], "\(alert)")
        }
    }

    private static func alerts(in rules: SourceFile) -> [String] {
        matches(of: "- alert: (\\w+)", in: rules.text).map { $0.groups[1] }
    }
}
