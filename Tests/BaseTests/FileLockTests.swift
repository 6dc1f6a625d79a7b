import Foundation
import TestSupport
import Testing

@testable import Base

@Suite struct FileLockTests {
    @Test func `a lock that is held is refused, and given once it is released`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("pool.lock")
        let first = try #require(try FileLock.acquire(path: path))
        #expect(try FileLock.acquire(path: path) == nil)
        first.release()
        first.release()
        let second = try #require(try FileLock.acquire(path: path))
        #expect(try FileLock.acquire(path: path) == nil)
        second.release()
    }

    @Test func `a lock whose holder is gone is free`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("pool.lock")
        do {
            let holder = try #require(try FileLock.acquire(path: path))
            withExtendedLifetime(holder) {}
        }
        #expect(try FileLock.acquire(path: path) != nil)
    }

    @Test func `a lock held by another process is refused until that process is killed`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("pool.lock")
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        holder.arguments = ["--no-fork", path, "sh", "-c", "echo held; exec cat"]
        let output = Pipe()
        let input = Pipe()
        holder.standardOutput = output
        holder.standardInput = input
        try holder.run()
        _ = output.fileHandleForReading.readData(ofLength: 5)
        #expect(try FileLock.acquire(path: path) == nil)
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(try FileLock.acquire(path: path) != nil)
        try input.fileHandleForWriting.close()
    }

    @Test func `the file is its owner's alone`() throws {
        let directory = try TemporaryDirectory()
        let lock = try FileLock.acquire(path: directory.file("pool.lock"))
        #expect(try directory.permissions(of: "pool.lock") == 0o600)
        withExtendedLifetime(lock) {}
    }

    @Test func `a lock in a directory that is missing says which path`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("missing/pool.lock")
        #expect(throws: SystemError(call: "open", code: ENOENT, path: path)) {
            try FileLock.acquire(path: path)
        }
    }

    @Test func `a symbolic link in place of the file is refused`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("pool.lock")
        symlink(directory.file("elsewhere"), path)
        #expect(throws: SystemError(call: "open", code: ELOOP, path: path)) {
            try FileLock.acquire(path: path)
        }
        #expect(try directory.names() == ["pool.lock"])
    }
}
