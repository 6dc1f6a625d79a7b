import Testing

@Suite struct TreeTests {
    static let files = SourceTree.files()

    @Test func `the tree is there to be read`() {
        #expect(Self.files.count { $0.isSwift && $0.isShipped } > 10)
        #expect(Self.files.contains { $0.path == "Package.swift" })
    }

    @Test(arguments: Rule.all)
    func `every file keeps to the rule`(rule: Rule) {
        let findings = Self.files.flatMap(rule.findings)
        #expect(findings.isEmpty, "\(findings.map(\.description).joined(separator: "\n"))")
    }

    @Test func `every migration is embedded, in the order of its number`() {
        let files = Documents.migrationFiles(in: Self.files)
        #expect(!files.isEmpty)
        #expect(
            Documents.embeddedMigrations(in: Self.files) == files.map(Documents.embeddedName(of:)))
    }

    @Test func `every configuration key is documented, and every documented key exists`() throws {
        let page = try #require(SourceTree.file(at: "docs/CONFIGURATION.md"))
        let declared = Documents.declaredKeys(in: Self.files)
        let documented = Documents.tabledNames(in: page, "[A-Z][A-Z0-9_]+")
        #expect(declared.count > 20)
        #expect(declared.subtracting(documented).sorted() == [], "missing from the page")
        #expect(documented.subtracting(declared).sorted() == [], "unknown to the code")
    }

    @Test func `every metric is documented, and every documented metric exists`() throws {
        let page = try #require(SourceTree.file(at: "docs/OPERATIONS.md"))
        let registered = Documents.registeredMetrics(in: Self.files)
        let documented = Documents.tabledNames(in: page, "[a-z][a-z0-9_]+")
        #expect(!registered.isEmpty)
        #expect(registered.subtracting(documented).sorted() == [], "missing from the page")
        #expect(documented.subtracting(registered).sorted() == [], "unknown to the code")
    }
}
