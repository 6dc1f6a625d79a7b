import Base
import Queue

/// The pipeline at one moment: the queue's own figures, and what both programs show.
struct TopSample: Sendable {
    /// For rates: unaffected by clock steps.
    let moment: Duration
    /// For people, and for ages.
    let now: Timestamp
    let statistics: QueueStatistics
    let walByteCount: Int
    let spoolByteCount: Int
    let diskFreeByteCount: Int?
    /// `nil` where the program cannot be reached.
    let ingest: PrometheusText?
    let workers: PrometheusText?
}

/// Takes samples; belongs to the thread that opened the session.
struct TopProbe {
    let session: QueueSession
    let ingestAdmin: ListenAddress
    let workersAdmin: ListenAddress

    /// Longest wait for one program, so that the view never stands still for long.
    private static let timeout = Duration.milliseconds(500)

    func sample() throws(QueueError) -> TopSample {
        let location = session.location
        return TopSample(
            moment: MonotonicClock.now(),
            now: .now(),
            statistics: try session.statistics(),
            walByteCount: FileFacts.byteCount(location.walPath),
            spoolByteCount: FileFacts.byteCount(inDirectory: location.spoolDirectory),
            diskFreeByteCount: FileFacts.freeByteCount(at: location.directory),
            ingest: Self.metrics(ingestAdmin),
            workers: Self.metrics(workersAdmin))
    }

    private static func metrics(_ admin: ListenAddress) -> PrometheusText? {
        do throws(NetworkFailure) {
            let answer = try HTTPConnection.get(
                WebAddress(reaching: admin, target: "/metrics"), timeout: timeout)
            guard answer.status == 200 else { return nil }
            return PrometheusText(String(decoding: answer.body, as: UTF8.self))
        } catch {
            return nil
        }
    }
}
