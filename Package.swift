// swift-tools-version: 6.2
import PackageDescription

// No package dependencies, by the owner's choice: Foundation, Dispatch, the system's C libraries.
// Arrows point down only: programs → Queue, WhatsApp, AWS → Base → C targets.
// TidyTests read the imports and say so.

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error)
]

let package = Package(
    name: "whatsapp-webhook-pipeline",
    products: [
        .executable(name: "ingest", targets: ["Ingest"]),
        .executable(name: "workers", targets: ["Workers"]),
        .executable(name: "pipelinectl", targets: ["pipelinectl"]),
    ],
    targets: [
        .systemLibrary(name: "CSQLite"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CZlib"),
        .target(name: "CLinux"),

        .target(name: "Base", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "WhatsApp", dependencies: ["Base", "CCrypto"], swiftSettings: strict),
        .target(
            name: "Queue",
            dependencies: ["Base", "CSQLite", "CLinux"],
            resources: [.embedInCode("Migrations")],
            swiftSettings: strict
        ),

        .target(name: "AWS", dependencies: ["Base", "CCrypto"], swiftSettings: strict),

        .executableTarget(
            name: "Ingest",
            dependencies: ["Queue", "WhatsApp", "Base", "CLinux"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "Workers",
            dependencies: ["Queue", "WhatsApp", "AWS", "Base", "CZlib", "CCrypto", "CLinux"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "pipelinectl",
            dependencies: ["Queue", "WhatsApp", "AWS", "Base", "CZlib", "CLinux"],
            resources: [.embedInCode("Tables")],
            swiftSettings: strict
        ),

        // Not a product: what `make bench` fills its queues with.
        .executableTarget(
            name: "benchmark-fill",
            dependencies: ["Queue", "Base"],
            path: "Benchmarks/Fill",
            swiftSettings: strict
        ),

        .target(
            name: "TestSupport",
            dependencies: ["Base", "WhatsApp", "Queue"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        .target(
            name: "Oracle",
            dependencies: ["Base", "WhatsApp", "Queue", "CZlib", "TestSupport"],
            path: "Tests/Oracle",
            swiftSettings: strict
        ),
        .testTarget(
            name: "BaseTests",
            dependencies: ["Base", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "WhatsAppTests",
            dependencies: ["WhatsApp", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "QueueTests",
            dependencies: ["Queue", "TestSupport", "CSQLite"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AWSTests",
            dependencies: ["AWS", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IngestTests",
            dependencies: ["Ingest", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "WorkersTests",
            dependencies: ["Workers", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PipelinectlTests",
            dependencies: ["pipelinectl", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "Ingest", "Workers", "pipelinectl", "Queue", "WhatsApp", "AWS", "Base",
                "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReliabilityTests",
            dependencies: [
                "Oracle", "Ingest", "Workers", "pipelinectl", "Queue", "Base", "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
