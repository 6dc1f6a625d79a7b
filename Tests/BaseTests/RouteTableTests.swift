import Base
import Testing

@Suite struct RouteTableTests {
    private let text = """
        # a comment
        destination crm http://10.0.0.5/hook concurrency=4 rate=20 timeout=30s headers=yes
        destination flows https://flows.example/in

        route phone=1,2 field=messages  crm
        route field=message_template_status_update,account_update drop
        route phone=3 dead
        route phone=1 default
        route field=flows flows
        """

    @Test func `the first rule that matches decides, and what matches none goes to the default`() {
        let (table, problems) = RouteTable.parse(text)
        #expect(problems == [])
        #expect(table.target(field: "messages", phoneNumberID: "1") == .destination("crm"))
        #expect(table.target(field: "messages", phoneNumberID: "2") == .destination("crm"))
        #expect(table.target(field: "account_update", phoneNumberID: nil) == .drop)
        #expect(table.target(field: "account_update", phoneNumberID: "3") == .drop)
        #expect(table.target(field: "messages", phoneNumberID: "3") == .dead)
        #expect(table.target(field: "flows", phoneNumberID: "1") == .byDefault)
        #expect(table.target(field: "flows", phoneNumberID: "9") == .destination("flows"))
        #expect(table.target(field: "calls", phoneNumberID: "9") == .byDefault)
        #expect(table.target(field: "calls", phoneNumberID: nil) == .byDefault)
    }

    @Test func `a destination has the limits that its line says, and no others`() throws {
        let table = RouteTable.parse(text).table
        let crm = try #require(table.destinations.first)
        #expect(crm.url == "http://10.0.0.5/hook")
        #expect(crm.concurrencyMax == 4)
        #expect(crm.ratePerSecondMax == 20)
        #expect(crm.answerDurationMax == .seconds(30))
        #expect(crm.takesHeaders)
        let flows = try #require(table.destinations.last)
        #expect(flows.concurrencyMax == nil)
        #expect(!flows.takesHeaders)
    }

    @Test(arguments: [
        ("forward crm", "destination or route"), ("destination crm", "destination NAME URL"),
        ("destination Crm http://a/", "a-z"), ("destination drop http://a/", "other than"),
        ("destination crm ftp://a/", "http://HOST/PATH"),
        ("destination crm http://u@a/", "http://HOST/PATH"),
        ("destination crm https://[::1]/", "IPv6"),
        ("destination crm http://a/ concurrency=0", "concurrency=1"),
        ("destination crm http://a/ rate=+5", "rate=0"),
        ("destination crm http://a/ timeout=30", "timeout="),
        ("destination crm http://a/ headers=maybe", "headers="),
        ("destination crm http://a/ colour=red", "colour"), ("route phone=1 crm", "no destination"),
        ("route phone=1", "route [phone="), ("route", "route [phone="),
        ("route phone= drop", "KEY=VALUE"), ("route from=1 drop", "phone and field"),
        ("route phone=1 phone=2 drop", "each once"), ("route phone 1 drop", "KEY=VALUE"),
    ])
    func `what cannot be read is named with its line`(line: String, part: String) {
        let (_, problems) = RouteTable.parse("# first\n" + line)
        #expect(problems.count == 1)
        #expect(problems[0].hasPrefix("line 2: "), "\(problems)")
        #expect(problems[0].contains(part), "\(problems)")
    }

    @Test func `a name that stands there twice is a problem, and all problems are said`() {
        let (_, problems) = RouteTable.parse(
            "destination a http://x/\ndestination a http://y/\nroute a\nroute b")
        #expect(problems.count == 2)
    }
}
