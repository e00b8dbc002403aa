// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import PackageDescription

/// Every target is compiled the same way: Swift 6 language mode, explicit existentials and imports,
/// every use of unsafe memory marked, no warning left standing.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let certificates = Target.Dependency.product(name: "X509", package: "swift-certificates")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let lifecycleSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let tomlKit = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

let package = Package(
    name: "waxwing",
    products: [
        .executable(name: "waxwing", targets: ["CLI"]),
        .library(name: "DKIM", targets: ["DKIM"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.9.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // The C libraries, each behind the one module that imports it.
        .systemLibrary(name: "CLdns", pkgConfig: "ldns", providers: [.apt(["libldns-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CUnbound", pkgConfig: "libunbound", providers: [.apt(["libunbound-dev"])]),

        // What the stages speak.
        .target(name: "Mail", swiftSettings: swiftSettings),
        .target(name: "SMTP", dependencies: ["Mail", nioCore], swiftSettings: swiftSettings),
        .target(name: "DKIM", dependencies: ["COpenSSL"], swiftSettings: swiftSettings),
        .target(name: "DNS", dependencies: ["CLdns", "CUnbound", logging, nioCore], swiftSettings: swiftSettings),

        // The stages.
        .target(
            name: "Receiving",
            dependencies: [
                "Mail", "SMTP", asn1, certificates, crypto, cryptoExtras, lifecycle, logging, nioCore, nioPosix, nioSSL,
                nioTLS,
            ],
            swiftSettings: swiftSettings),
        .target(
            name: "Spooling", dependencies: ["Mail", grdb, logging], exclude: ["QueueStates.md"],
            swiftSettings: swiftSettings),
        .target(
            name: "Signing",
            dependencies: ["DKIM", "DNS", "Mail", lifecycle, logging, subprocess],
            exclude: ["Publishing/Hook.md", "Rotation/Rotation.md"],
            swiftSettings: swiftSettings),
        .target(
            name: "Forwarding",
            dependencies: [
                "DNS", "Mail", "SMTP", "Spooling", lifecycle, logging, nioCore, nioPosix, nioSSL, nioTLS,
            ],
            swiftSettings: swiftSettings),
        .target(name: "Reporting", dependencies: ["Mail", "Spooling", logging, metrics], swiftSettings: swiftSettings),

        // The program.
        .target(name: "Systemd", dependencies: ["CSystemd", logging], swiftSettings: swiftSettings),
        .target(
            name: "Relay",
            dependencies: [
                "DKIM", "DNS", "Forwarding", "Mail", "Receiving", "Reporting", "SMTP", "Signing", "Spooling",
                "Systemd", hummingbird, lifecycle, lifecycleSignals, logging, metrics, nioCore, nioHTTP1,
                nioPosix, tomlKit,
            ],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "CLI",
            dependencies: [
                "DKIM", "DNS", "Mail", "Receiving", "Relay", "SMTP", "Signing", "Spooling", argumentParser, logging,
            ],
            swiftSettings: swiftSettings),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .testTarget(
            name: "MailTests", dependencies: ["Mail", "TestSupport"], swiftSettings: swiftSettings),
        .testTarget(
            name: "SMTPTests", dependencies: ["Mail", "SMTP", "TestSupport", nioCore],
            resources: [.copy("Dialogues")], swiftSettings: swiftSettings),
        .testTarget(
            name: "DKIMTests", dependencies: ["DKIM", "TestSupport"], exclude: ["README.md"],
            resources: [.copy("Vectors")], swiftSettings: swiftSettings),
        .testTarget(
            name: "DNSTests", dependencies: ["DNS", logging], swiftSettings: swiftSettings),
        .testTarget(
            name: "ReceivingTests",
            dependencies: [
                "Mail", "Receiving", "SMTP", "TestSupport", lifecycle, logging, nioCore, nioEmbedded, nioPosix, nioSSL,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "SpoolingTests", dependencies: ["Mail", "Spooling", "TestSupport", grdb, logging],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "SigningTests", dependencies: ["DKIM", "DNS", "Mail", "Signing", "TestSupport", lifecycle, logging],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ForwardingTests",
            dependencies: [
                "DNS", "Forwarding", "Mail", "SMTP", "Spooling", "TestSupport", logging, nioCore, nioEmbedded, nioPosix,
                nioSSL,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "RelayTests",
            dependencies: [
                "DKIM", "Forwarding", "Mail", "Receiving", "Relay", "Reporting", "SMTP", "Signing", "Spooling",
                "TestSupport", lifecycle, logging, nioCore,
            ],
            exclude: ["DomainRecords/spf-cases.txt"], swiftSettings: swiftSettings),
        .testTarget(
            name: "ReportingTests", dependencies: ["Mail", "Reporting", logging], swiftSettings: swiftSettings),
        .testTarget(
            name: "CLITests", dependencies: ["CLI", "DKIM", "Relay", "Signing", argumentParser],
            swiftSettings: swiftSettings),
        .testTarget(name: "SystemdTests", dependencies: ["Systemd"], swiftSettings: swiftSettings),
        .testTarget(name: "StructureTests", swiftSettings: swiftSettings),
    ]
)

// What is no part of a usual build: programs that `Deploy/fuzz` and `Deploy/bench --signing` ask for.

func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "Fuzz\(name)", dependencies: dependencies + ["FuzzSupport"], path: "Tests/Fuzzing/\(name)",
        swiftSettings: swiftSettings)
}

if Context.environment["WAXWING_FUZZING"] != nil {
    package.targets += [
        .target(name: "FuzzSupport", path: "Tests/Fuzzing/Support", swiftSettings: swiftSettings),
        fuzzer("BodyHash", ["DKIM"]),
        fuzzer("DataDecoder", ["SMTP", nioCore]),
        fuzzer("Header", ["Mail", "Receiving"]),
        fuzzer("KeyRecord", ["DKIM"]),
        fuzzer("MIME", ["Mail"]),
        fuzzer("Reply", ["Mail", "SMTP", nioCore]),
        fuzzer("ServerSession", ["Mail", "SMTP", nioCore]),
        fuzzer("SignatureField", ["DKIM"]),
        fuzzer("TagList", ["DKIM"]),
        fuzzer("Verifier", ["DKIM"]),
    ]
}

if Context.environment["WAXWING_BENCHMARKS"] != nil {
    package.targets += [
        .executableTarget(
            name: "KeyRingBenchmark", dependencies: ["DKIM", "Mail", "Signing", logging],
            path: "Tests/Benchmarks/KeyRing", swiftSettings: swiftSettings),
        .executableTarget(
            name: "SigningBenchmark", dependencies: ["COpenSSL", "DKIM"], path: "Tests/Benchmarks/Signing",
            swiftSettings: swiftSettings)
    ]
}
