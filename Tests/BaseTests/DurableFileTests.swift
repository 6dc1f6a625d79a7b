import Foundation
import TestSupport
import Testing

@testable import Base

@Suite struct DurableFileTests {
    @Test func `a file is written whole, in place of an older one, and nothing stays beside it`()
        throws
    {
        let directory = try TemporaryDirectory()
        let path = directory.file("object")
        try DurableFile.write(Array("first and longer".utf8), to: path)
        try DurableFile.write(Array("second".utf8), to: path)
        #expect(try directory.content(of: "object") == Array("second".utf8))
        #expect(try directory.names() == ["object"])
        #expect(try directory.permissions(of: "object") == 0o600)
    }

    @Test(arguments: [0, 1, 4 * 1_024 * 1_024 + 1])
    func `a file of any size has its bytes`(byteCount: Int) throws {
        let directory = try TemporaryDirectory()
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try DurableFile.write(bytes, to: directory.file("object"), mode: 0o640)
        #expect(try directory.content(of: "object") == bytes)
    }

    @Test func `a reader never sees half a file while it is written again and again`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("object")
        let contents = (0..<4).map { [UInt8](repeating: $0, count: 100_000) }
        try DurableFile.write(contents[0], to: path)
        DispatchQueue.concurrentPerform(iterations: 4) { index in
            for _ in 0..<25 {
                #expect(throws: Never.self) {
                    try DurableFile.write(contents[index], to: path)
                    #expect(contents.contains(try directory.content(of: "object")))
                }
            }
        }
        #expect(try directory.names() == ["object"])
    }

    @Test func `a write that fails leaves the old content and no passing name`() throws {
        let directory = try TemporaryDirectory()
        try DurableFile.makeDirectory(directory.file("taken/inside"))
        #expect(throws: SystemError.self) {
            try DurableFile.write([1], to: directory.file("taken"))
        }
        #expect(try directory.names() == ["taken"])
        #expect(throws: SystemError.self) {
            try DurableFile.write([1], to: directory.file("missing/object"))
        }
    }

    @Test func `a passing name begins with a dot and ends in tmp`() throws {
        let directory = try TemporaryDirectory()
        let fifo = directory.file("watched")
        try DurableFile.makeDirectory(fifo)
        let descriptor = inotify_init1(Int32(IN_NONBLOCK))
        defer { close(descriptor) }

        inotify_add_watch(descriptor, fifo, UInt32(IN_CREATE))
        try DurableFile.write([1], to: fifo + "/object")
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(descriptor, &buffer, buffer.count)
        let name = String(decoding: buffer[16..<max(16, count)].prefix { $0 != 0 }, as: UTF8.self)
        #expect(name.hasPrefix(".object."))
        #expect(name.hasSuffix(".tmp"))
    }

    @Test func `a directory is made with its parents, and again without an error`() throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<2 {
            try DurableFile.makeDirectory(directory.file("a/b//c/"))
        }
        try DurableFile.write([1], to: directory.file("a/b/c/object"))
        #expect(try directory.permissions(of: "a") == 0o700)
        #expect(try directory.permissions(of: "a/b/c") == 0o700)
    }

    @Test func `a directory is made from the working directory too`() throws {
        let name = "base-tests-\(UUID().uuidString)"
        try DurableFile.makeDirectory(name + "/below")
        #expect(rmdir(name + "/below") == 0)
        #expect(rmdir(name) == 0)
    }

    @Test func `a file in the way of a directory is an error`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("file")
        try DurableFile.write([1], to: path)
        #expect(throws: SystemError(call: "mkdir", code: EEXIST, path: path)) {
            try DurableFile.makeDirectory(path)
        }
        #expect(throws: SystemError(call: "mkdir", code: ENOTDIR, path: path + "/below")) {
            try DurableFile.makeDirectory(path + "/below")
        }
    }

    @Test func `many threads make the same directory`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a/b/c/d/e/f/g")
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            #expect(throws: Never.self) { try DurableFile.makeDirectory(path) }
        }
    }

    @Test func `removing what is missing is no error, removing a directory is`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("object")
        try DurableFile.write([1], to: path)
        try DurableFile.remove(path)
        try DurableFile.remove(path)
        #expect(try directory.names() == [])
        #expect(throws: SystemError.self) { try DurableFile.remove(directory.path) }
    }

    @Test(arguments: [
        ("object", "."), ("a/object", "a"), ("/object", "/"), ("/", "/"), ("a/b/", "a"),
        ("a//b", "a"), ("//b", "/"), (".", "."),
    ])
    func `the parent of a path`(path: String, parent: String) {
        #expect(DurableFile.parent(of: path) == parent)
    }
}
