import Base
import Glibc
import TestSupport
import Testing

@testable import Workers

@Suite struct FileLakeTests {
    let directory: TemporaryDirectory
    let root: String
    let name = "statuses/dt=2026-01-02/hour=03/a1b2c3d4e5f6-1-2-0123456789ab.ndjson"

    init() throws {
        directory = try TemporaryDirectory()
        root = directory.file("deep/lake")
    }

    var target: String { "\(root)/\(name)" }

    func object(_ text: String, file: String = "spooled") throws -> SealedObject {
        let bytes = Array(text.utf8)
        try Files.write(bytes, to: directory.file(file))
        let digest = ObjectDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        return SealedObject(
            name: name, path: directory.file(file), byteCount: bytes.count,
            sha256: digest.finishHex())
    }

    func error(_ body: () throws(LakeError) -> Void) -> LakeError.Kind? {
        do throws(LakeError) {
            try body()
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func `an object arrives whole, and nothing else with it`() throws {
        try FileLake(root: root).put(try object("{}\n"))
        #expect(try Files.bytes(target) == Array("{}\n".utf8))
        #expect(try Files.below(root) == [name])
    }

    @Test func `an object larger than any buffer arrives whole`() throws {
        let text = String(repeating: "0123456789abcde\n", count: 50_000)
        try FileLake(root: root).put(try object(text))
        #expect(try Files.bytes(target) == Array(text.utf8))
    }

    @Test func `an object that is put again changes nothing, with a new lake too`() throws {
        let object = try object("{}\n")
        let lake = FileLake(root: root)
        try lake.put(object)
        var before = stat()
        stat(target, &before)
        try lake.put(object)
        try FileLake(root: root).put(object)
        var after = stat()
        stat(target, &after)
        #expect(before.st_ino == after.st_ino)
    }

    @Test func `an object that is there is success even where its spool file is gone`() throws {
        let object = try object("{}\n")
        try FileLake(root: root).put(object)
        unlink(object.path)
        try FileLake(root: root).put(object)
    }

    @Test(arguments: ["{ }\n", "{}", "", "{}\n{}\n"])
    func `other bytes under the name are never replaced`(other: String) throws {
        let lake = FileLake(root: root)
        try lake.put(try object("{}\n"))
        try Files.write(Array(other.utf8), to: target)
        let object = try object("{}\n")
        #expect(error { () throws(LakeError) in try lake.put(object) } == .conflict)
        #expect(try Files.bytes(target) == Array(other.utf8))
    }

    @Test func `a link or a directory under the name is not followed and not replaced`() throws {
        let object = try object("{}\n")
        try DurableFile.makeDirectory(DurableFile.parent(of: target))
        symlink(object.path, target)
        let lake = FileLake(root: root)
        #expect(error { () throws(LakeError) in try lake.put(object) } == .conflict)
        unlink(target)
        mkdir(target, 0o700)
        #expect(error { () throws(LakeError) in try lake.put(object) } != nil)
        rmdir(target)
        try lake.put(object)
    }

    @Test func `a spool file that is missing or altered leaves nothing in the lake`() throws {
        let lake = FileLake(root: root)
        let object = try object("{\"a\":1}\n")
        try Files.write(Array("{\"a\":2}\n".utf8), to: object.path)
        #expect(error { () throws(LakeError) in try lake.put(object) } == .spoolFault)
        try Files.write(Array("{\"a\":1}\n{}\n".utf8), to: object.path)
        #expect(error { () throws(LakeError) in try lake.put(object) } == .spoolFault)
        unlink(object.path)
        #expect(error { () throws(LakeError) in try lake.put(object) } == .spoolFault)
        #expect(try Files.below(root).isEmpty)
    }

    @Test func `what a crash left half-written is written again`() throws {
        let object = try object("{}\n")
        let directory = DurableFile.parent(of: target)
        try DurableFile.makeDirectory(directory)
        let half = "\(directory)/.a1b2c3d4e5f6-1-2-0123456789ab.ndjson.tmp"
        try Files.write(Array("{".utf8), to: half)
        try FileLake(root: root).put(object)
        #expect(try Files.below(root) == [name])
        #expect(try Files.bytes(target) == Array("{}\n".utf8))
    }

    @Test func `a lake that is mended takes the object`() throws {
        let object = try object("{}\n")
        let lake = FileLake(root: root)
        try Files.write([], to: directory.file("deep"))
        #expect(error { () throws(LakeError) in try lake.put(object) } == .refused)
        unlink(directory.file("deep"))
        try lake.put(object)
        #expect(try Files.below(root) == [name])
    }

    @Test func `a partition that is removed behind its back is made again`() throws {
        let lake = FileLake(root: root)
        let object = try object("{}\n")
        try lake.put(object)
        unlink(target)
        rmdir(DurableFile.parent(of: target))
        #expect(error { () throws(LakeError) in try lake.put(object) } == .unavailable)
        try lake.put(object)
        #expect(try Files.below(root) == [name])
    }

    @Test func `a name that is taken is not renamed over`() throws {
        let (old, new) = (directory.file("old"), directory.file("new"))
        try Files.write([1], to: old)
        try Files.write([2], to: new)
        #expect(throws: SystemError.self) { try FileLake.renameWithoutReplacing(old, to: new) }
        #expect(try Files.bytes(new) == [2])
        unlink(new)
        try FileLake.renameWithoutReplacing(old, to: new)
        #expect(try Files.bytes(new) == [1])
        #expect(!Files.exists(old))
    }
}
