import Glibc

/// What a program says of itself: its build, whether it is ready, and what it takes of the machine.
///
/// The names `process_...` are those of Prometheus' own client libraries
/// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics), so that ready
/// made dashboards find them.
public enum ProcessMetrics {
    /// Registers all of them.
    ///
    /// - Parameters:
    ///   - registry: of the process.
    ///   - program: its name, `ingest` say.
    ///   - libraries: versions of what it runs with, by name: labels of the build.
    ///   - readiness: as `/readyz` asks; `nil` when ready.
    public static func register(
        in registry: MetricsRegistry,
        program: String,
        libraries: [String: String],
        readiness: @escaping @Sendable () -> String?
    ) {
        let build = ["program": program, "version": Release.version]
        registry.gauge(
            "pipeline_build_info", help: "1; the labels say what runs.",
            labels: build.merging(libraries) { own, _ in own }
        ).set(1)
        registry.gauge(
            "pipeline_ready", help: "1 where /readyz answers 200, else 0.",
            labels: ["program": program],
            read: { readiness() == nil ? 1 : 0 })
        let start = Double(Timestamp.now().rawValue) / 1_000
        registry.gauge(
            "process_start_time_seconds", help: "When the program was started, since 1970."
        ).set(start)
        registry.counter(
            "process_cpu_seconds_total", help: "CPU time of the program, the kernel's for it too.",
            read: cpuSeconds)
        registry.gauge(
            "process_resident_memory_bytes", help: "Memory that is the program's now.",
            read: residentBytes)
        registry.gauge(
            "process_open_fds", help: "Open file descriptors.", read: openDescriptorCount)
        registry.gauge(
            "process_max_fds", help: "As many file descriptors it may open.", read: descriptorsMax)
    }

    @Sendable private static func cpuSeconds() -> Double {
        var usage = rusage()
        guard getrusage(Int32(RUSAGE_SELF.rawValue), &usage) == 0 else { return .nan }
        let parts = [usage.ru_utime, usage.ru_stime]
        return parts.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    /// The second number of /proc/self/statm, in pages (proc(5)).
    @Sendable private static func residentBytes() -> Double {
        guard let bytes = try? SmallFile.read("/proc/self/statm", byteCountMax: 4_096) else {
            return .nan
        }
        let numbers = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard numbers.count > 1, let pageCount = Double(numbers[1]) else { return .nan }
        return pageCount * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Counts /proc/self/fd; the one that reads it is not counted.
    @Sendable private static func openDescriptorCount() -> Double {
        guard let directory = opendir("/proc/self/fd") else { return .nan }
        defer { closedir(directory) }

        var count = 0
        while let found = readdir(directory) {
            if found.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return Double(count - 1)
    }

    @Sendable private static func descriptorsMax() -> Double {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return .nan
        }
        return Double(limit.rlim_cur)
    }
}
