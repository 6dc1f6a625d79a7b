import Testing
import WhatsApp

@Suite struct BatchBodyTests {
    private func body(_ entry: String) -> [UInt8] {
        Array(#"{"object":"whatsapp_business_account","entry":[\#(entry)]}"#.utf8)
    }

    @Test func `each body gives its one entry, with the bytes it came with`() throws {
        let text =
            #"{ "entry" : [ {"id": "1",  "x":"\u00e9\/"} ] ,"#
            + #""object":"whatsapp_business_account"}"#
        let spaced = Array(text.utf8)
        let other = body(#"{"id":"2"}"#)
        let entries = try [spaced, other].map { ($0, try #require(BatchBody.entry(of: $0))) }
        let joined = BatchBody.join(entries)
        #expect(
            String(decoding: joined, as: UTF8.self)
                == #"{"object":"whatsapp_business_account","entry":"#
                + #"[{"id": "1",  "x":"\u00e9\/"},{"id":"2"}]}"#)
        #expect(
            joined.count
                == BatchBody.byteCount(
                    entryByteCount: entries.reduce(0) { $0 + $1.1.count }, bodyCount: 2))
    }

    @Test(arguments: [
        "{not json", "[]", #"{"object":"page","entry":[{}]}"#,
        #"{"object":"whatsapp_business_account","entry":[]}"#,
        #"{"object":"whatsapp_business_account","entry":[{},{}]}"#,
        #"{"object":"whatsapp_business_account","entry":[1]}"#,
        #"{"object":"whatsapp_business_account","entry":{}}"#,
        #"{"object":"whatsapp_business_account","entry":[{}],"more":1}"#,
        #"{"entry":[{}],"more":1}"#,
    ])
    func `what is not one entry in WhatsApp's envelope goes alone`(text: String) {
        #expect(BatchBody.entry(of: Array(text.utf8)) == nil)
    }
}
