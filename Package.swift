// swift-tools-version: 6.2
// Targets are listed bottom-up: each one may import only what stands above it.
// docs/architecture.md explains the dependency direction; `make lint` checks it.
import PackageDescription

var settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

// A warning is an error, so that none hides behind an incremental build. Only for compilers whose
// warnings we have seen: a newer one must not break somebody's build.
#if compiler(<6.4)
    settings.append(.treatAllWarnings(as: .error))
#endif

let package = Package(
    name: "st-host",
    products: [
        .executable(name: "st-host", targets: ["st-host"]),
        .library(name: "Host", targets: ["Host"]),
        .library(name: "LuaBridge", targets: ["LuaBridge"]),
        .library(name: "Training", targets: ["Training"]),
        .library(name: "Tuning", targets: ["Tuning"]),
        .library(name: "TuningStorage", targets: ["TuningStorage"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        // C libraries of the system: a module map and a small shim each.
        .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(
            name: "CBrotli", pkgConfig: "libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(name: "CBzip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        // Opened when they are first used and not linked, so without pkgConfig.
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZip", providers: [.apt(["libzip-dev"])]),

        // Instructions that Swift does not reach: bfloat16 products, shuffles.
        .target(name: "CKernels"),

        // Small shared foundations.
        .target(name: "OrderedJSON", swiftSettings: settings),
        .target(name: "RandomGenerators", swiftSettings: settings),

        // Packed files: gzip, zstd, bzip2, xz, zip.
        .target(
            name: "Compression", dependencies: ["CZlib", "CZstd", "CBzip2", "CLZMA", "CZip"],
            swiftSettings: settings),

        // Parquet files, read and written without Arrow.
        .target(
            name: "Parquet", dependencies: ["CZlib", "CZstd", "CSnappy", "CLZ4", "CBrotli"],
            swiftSettings: settings),

        // Files of the Hugging Face Hub, in the cache that Python shares.
        .target(
            name: "Hub", dependencies: ["CCurl", "CCrypto", "CYAML", "OrderedJSON"],
            swiftSettings: settings),

        // The three halves that do not know each other.
        .target(name: "LuaBridge", dependencies: ["CLua"], swiftSettings: settings),
        .target(
            name: "Training",
            dependencies: [
                "CKernels", "COpenBLAS", "Compression", "OrderedJSON", "Parquet",
                "RandomGenerators",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        .target(
            name: "Tuning",
            dependencies: [
                "OrderedJSON", "RandomGenerators", .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        // Studies in databases and journals that Optuna shares. PostgreSQL's library is loaded when
        // it is first needed, so it is no target here.
        .target(
            name: "TuningStorage",
            dependencies: [
                "Tuning", "OrderedJSON", "CSQLite",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),

        // The only place where they meet, and the thin programs.
        .target(
            name: "Host",
            dependencies: [
                "LuaBridge", "Training", "Tuning", "TuningStorage", "Hub", "OrderedJSON", "Parquet",
                "CEdit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        .executableTarget(name: "st-host", dependencies: ["Host"], swiftSettings: settings),
        // The example of docs/embedding.md, built with everything else so that it stays right.
        .executableTarget(
            name: "embedding-example", dependencies: ["Host", "LuaBridge"],
            path: "docs/embedding/Sources/Embedding", swiftSettings: settings),
        .executableTarget(
            name: "st-bench",
            dependencies: ["COpenBLAS", "Training", "Tuning", "TuningStorage"],
            swiftSettings: settings),

        // What several test targets need: paths, temporary folders, running st-host as a user does.
        .target(
            name: "TestSupport", path: "Tests/TestSupport", exclude: ["Server"],
            swiftSettings: settings),
        // Readers given files from strangers: FuzzTests, and scripts/dev/fuzz.sh.
        .target(
            name: "FuzzTargets", dependencies: ["Parquet", "Training"],
            path: "Tests/Fuzzing/Targets", swiftSettings: settings),
        .testTarget(
            name: "FuzzTests", dependencies: ["FuzzTargets", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "OrderedJSONTests", dependencies: ["OrderedJSON"], swiftSettings: settings),
        .testTarget(
            name: "RandomGeneratorsTests", dependencies: ["RandomGenerators"],
            swiftSettings: settings),
        .testTarget(
            name: "CompressionTests", dependencies: ["Compression", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "HubTests", dependencies: ["Hub", "OrderedJSON", "TestSupport"],
            exclude: ["Golden"], swiftSettings: settings),
        .testTarget(
            name: "ParquetTests", dependencies: ["Parquet", "OrderedJSON", "TestSupport"],
            exclude: ["Golden", "Python"], swiftSettings: settings),
        .testTarget(
            name: "LuaBridgeTests", dependencies: ["LuaBridge", "CLua"], swiftSettings: settings),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "OrderedJSON", "Parquet", "RandomGenerators", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Golden"], swiftSettings: settings),
        .testTarget(
            name: "TuningTests",
            dependencies: [
                "Tuning", "OrderedJSON", "RandomGenerators",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Golden"], swiftSettings: settings),
        .testTarget(
            name: "TuningStorageTests",
            dependencies: [
                "TuningStorage", "Tuning", "OrderedJSON", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Interop"], swiftSettings: settings),
        .testTarget(
            name: "HostTests",
            dependencies: [
                "Host", "LuaBridge", "Training", "Tuning", "OrderedJSON", "TestSupport",
            ],
            exclude: ["Scripts"], swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Host", "LuaBridge", "OrderedJSON", "TestSupport", "Training", "Tuning",
                "TuningStorage",
            ],
            exclude: ["Interop", "Transcripts"],
            swiftSettings: settings),
    ]
)

// libFuzzer brings the main function, so that this builds only where it is linked.
if Context.environment["ST_HOST_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "st-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Driver",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
}
