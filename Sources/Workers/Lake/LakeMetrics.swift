import Base

/// What the lake pool counts and measures, all under `workers_lake_`.
struct LakeMetrics: Sendable {
    /// New statuses, sealed.
    let statuses: Counter
    /// Statuses that were met before.
    let doubles: Counter
    let webhooks: Counter
    let loneSurrogates: Counter
    let sealedBatches: Counter
    let shippedBatches: Counter
    let lineBytes: Counter
    let objectBytes: Counter
    let sealSeconds: Histogram
    let shipSeconds: Histogram
    let shipFailures: Counter
    let sealFailures: Counter

    init(_ registry: MetricsRegistry, health: LakeHealth) {
        statuses = registry.counter(
            "workers_lake_statuses_total", help: "Statuses that were sealed into batches.")
        doubles = registry.counter(
            "workers_lake_doubles_total", help: "Statuses that were met before, and left out.")
        webhooks = registry.counter(
            "workers_lake_webhooks_total",
            help: "Webhooks whose statuses, if any, are sealed; those read again are not counted.")
        loneSurrogates = registry.counter(
            "workers_lake_lone_surrogates_total",
            help: "Lines in which half of a surrogate pair was replaced by U+FFFD.")
        sealedBatches = registry.counter(
            "workers_lake_sealed_batches_total", help: "Batches that were sealed.")
        shippedBatches = registry.counter(
            "workers_lake_shipped_batches_total", help: "Batches whose object is in the lake.")
        lineBytes = registry.counter(
            "workers_lake_line_bytes_total", help: "Bytes of sealed lines, before compression.")
        objectBytes = registry.counter(
            "workers_lake_object_bytes_total", help: "Bytes of sealed objects, as stored.")
        sealSeconds = registry.histogram(
            "workers_lake_seal_seconds",
            help: "Time from the end of a batch to its commit, syncs included.")
        shipSeconds = registry.histogram(
            "workers_lake_ship_seconds", help: "Time to put one object into the lake.")
        shipFailures = registry.counter(
            "workers_lake_ship_failures_total", help: "Attempts to put an object that failed.")
        sealFailures = registry.counter(
            "workers_lake_seal_failures_total",
            help: "Batches that were given up and made again, over a full disk for example.")
        health.register(in: registry)
    }
}
