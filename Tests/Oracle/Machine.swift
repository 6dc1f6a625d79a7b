import Base
import Foundation
import Glibc
import TestSupport

/// The machine under the programs: disk, clock and power, each of which can go wrong.
///
/// Tests/Tools/faults.c does it, preloaded into every program.
public final class Machine {
    /// A kind of system call that can be made to fail.
    public enum Call: Int64, CaseIterable, Sendable {
        case write = 0
        case sync = 1
    }

    /// What is wrong with the tools of a run, in a sentence.
    public struct Failure: Error, CustomStringConvertible {
        /// The tool and what it said.
        public let description: String
    }

    /// Below it faults apply: queue, spool and lake.
    public let root: String
    private let directory: TemporaryDirectory
    private let journals: String?
    private let control: UnsafeMutablePointer<Int64>

    /// The fields of `struct control`, in its order.
    private enum Field: Int {
        case clockOffset, diskFull, failCall, failAt, failErrno, failForEver, syncDelay
        case writeCount, syncCount, failureCount
    }

    /// Builds the tools with the system's C compiler.
    ///
    /// - Parameters:
    ///   - root: an existing directory.
    ///   - keepsJournals: whether power can be cut; every write is then written twice.
    /// - Throws: ``Failure``, with what the compiler says.
    public init(root: String, keepsJournals: Bool) throws {
        self.root = root
        directory = try TemporaryDirectory()
        try Self.compile(
            "faults.c", ["-shared", "-fPIC", "-ldl"], into: directory.file("faults.so"))
        try Self.compile("powercut.c", [], into: directory.file("powercut"))
        journals = keepsJournals ? directory.file("journals") : nil
        if let journals { try DurableFile.makeDirectory(journals) }
        let file = open(directory.file("control"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0, ftruncate(file, 4_096) == 0,
            let page = mmap(nil, 4_096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
            page != MAP_FAILED
        else { throw Failure(description: "no memory to share with the programs") }
        close(file)
        control = page.bindMemory(to: Int64.self, capacity: 512)
    }

    deinit { munmap(control, 4_096) }

    private static func compile(_ source: String, _ flags: [String], into output: String) throws {
        let tools = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Tools")
        let log = output + ".log"
        let compiler = try ChildProcess(
            "/usr/bin/env",
            ["cc", "-O2", "-Wall", "-o", output, tools.appendingPathComponent(source).path]
                + flags,
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], outputPath: log)
        guard compiler.waitForEnd(within: .seconds(120)) == .exited(status: 0) else {
            throw Failure(description: "\(source): \(compiler.output)")
        }
    }

    /// What a program has to be started with.
    public var environment: [String: String] {
        var environment = [
            "LD_PRELOAD": directory.file("faults.so"), "FAULTS_ROOT": root,
            "FAULTS_CONTROL": directory.file("control"),
        ]
        environment["FAULTS_JOURNAL"] = journals
        return environment
    }

    // MARK: Faults

    private func set(_ field: Field, _ value: Int64) { control[field.rawValue] = value }

    /// Added to the wall clock of every program.
    public func stepClock(by offset: Duration) { set(.clockOffset, offset.milliseconds) }

    /// No write finds room any more, or all do again.
    public func fillDisk(_ isFull: Bool) { set(.diskFull, isFull ? 1 : 0) }

    /// Each sync takes so much longer.
    public func slowDisk(by delay: Duration) { set(.syncDelay, delay.milliseconds * 1_000) }

    /// Lets the `number`-th call from now on fail, and every later one where `forEver` says so.
    public func fail(_ call: Call, at number: Int, code: Int32, forEver: Bool) {
        set(.writeCount, 0)
        set(.syncCount, 0)
        set(.failureCount, 0)
        set(.failCall, call.rawValue)
        set(.failErrno, Int64(code))
        set(.failForEver, forEver ? 1 : 0)
        set(.failAt, Int64(number))
    }

    /// All calls do what they should again.
    public func mend() {
        for field in [Field.failAt, .diskFull, .syncDelay] { set(field, 0) }
    }

    /// Calls that were made to fail since ``fail(_:at:code:forEver:)``.
    public var failureCount: Int { Int(control[Field.failureCount.rawValue]) }

    /// Calls that were counted since ``fail(_:at:code:forEver:)``.
    public func count(_ call: Call) -> Int {
        Int(control[(call == .write ? Field.writeCount : .syncCount).rawValue])
    }

    /// Leaves of every file what its last sync made durable, and of the rest what `seed` says.
    ///
    /// Every program must have been killed.
    ///
    /// - Returns: what the tool says, one line.
    /// - Throws: ``Failure``.
    public func cutPower(seed: UInt64) throws -> String {
        guard let journals else { throw Failure(description: "no journals are kept") }
        let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        for name in names where name.hasSuffix("-shm") { unlink(root + "/" + name) }
        let tool = try ChildProcess(
            directory.file("powercut"), [root, journals, "\(seed)"], environment: [:],
            outputPath: directory.file("powercut-\(UUID().uuidString).log"))
        guard tool.waitForEnd(within: .seconds(120)) == .exited(status: 0) else {
            throw Failure(description: "powercut: \(tool.output)")
        }
        return tool.output
    }
}
