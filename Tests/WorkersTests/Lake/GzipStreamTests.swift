import Base
import TestSupport
import Testing

@testable import Workers

@Suite struct GzipStreamTests {
    func compress(_ bytes: [UInt8], pieces: [Int] = []) throws -> [UInt8] {
        let stream = GzipStream(level: SpoolWriter.gzipLevel)
        var output: [UInt8] = []
        var rest = bytes[...]
        for count in pieces + [bytes.count] {
            try Array(rest.prefix(count)).withUnsafeBytes { piece in
                try stream.write(piece) { output.append(contentsOf: $0) }
            }
            rest = rest.dropFirst(count)
        }
        try stream.finish { output.append(contentsOf: $0) }
        return output
    }

    @Test func `what goes in comes out, whatever its size`() throws {
        var generator = SeededGenerator.announced("gzip sizes")
        for size in [0, 1, 65_535, 65_536, 65_537, 300_000] {
            let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(try Files.gunzip(compress(bytes)) == bytes)
        }
    }

    @Test func `equal input gives equal bytes, however it was cut`() throws {
        var generator = SeededGenerator.announced("gzip cuts")
        let text = String(repeating: Body.one("a") + "\n", count: 400)
        let whole = try compress(Array(text.utf8))
        for _ in 0..<20 {
            let pieces = (0..<10).map { _ in Int.random(in: 0...20_000, using: &generator) }
            #expect(try compress(Array(text.utf8), pieces: pieces) == whole)
        }
    }

    @Test func `the header holds no time`() throws {
        #expect(try compress([1, 2, 3])[4..<8] == [0, 0, 0, 0])
    }

    @Test func `gzip itself finds nothing wrong`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("x.gz")
        try Files.write(compress(Array(String(repeating: "line\n", count: 50_000).utf8)), to: path)
        let child = try ChildProcess(
            "/bin/gzip", ["-t", path], environment: [:], outputPath: directory.file("out"))
        #expect(child.waitForEnd() == .exited(status: 0))
        #expect(child.output.isEmpty)
    }
}

@Suite struct ObjectDigestTests {
    @Test func `the digest is SHA-256, in pieces or not, again and again`() {
        let digest = ObjectDigest()
        // FIPS 180-2, appendix B.1 and the digest of nothing.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        Array("abc".utf8).withUnsafeBytes { digest.update($0) }
        #expect(digest.finishHex() == abc)
        #expect(digest.finishHex() == nothing)
        for byte in "abc".utf8 { withUnsafeBytes(of: byte) { digest.update($0) } }
        #expect(digest.finishHex() == abc)
    }
}
