import Base

/// What the upkeep thread counts and measures, all under `workers_upkeep_`.
struct UpkeepMetrics: Sendable {
    let logRows: Counter
    let deliveredRows: Counter
    let seenRows: Counter
    let shippedRows: Counter
    let sliceSeconds: Histogram
    let checkpointSeconds: Histogram
    let incompleteCheckpoints: Counter
    let freeBytes: Gauge

    init(_ registry: MetricsRegistry) {
        func removed(_ what: String) -> Counter {
            registry.counter(
                "workers_upkeep_removed_rows_total", help: "Rows removed from the queue.",
                labels: ["what": what])
        }
        logRows = removed("log")
        deliveredRows = removed("delivered")
        seenRows = removed("seen")
        shippedRows = removed("shipped")
        sliceSeconds = registry.histogram(
            "workers_upkeep_slice_seconds", help: "How long one slice held the gate.")
        checkpointSeconds = registry.histogram(
            "workers_upkeep_checkpoint_seconds",
            help: "Time of a checkpoint, its wait for the gate included.")
        incompleteCheckpoints = registry.counter(
            "workers_upkeep_incomplete_checkpoints_total",
            help: "Checkpoints that left pages for a reader that still needed the WAL.")
        freeBytes = registry.gauge(
            "workers_upkeep_disk_free_bytes", help: "Free on the disk that holds the queue.")
    }
}
