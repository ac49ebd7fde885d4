// swift-tools-version: 6.2
// A package that embeds st-host. `swift run -c release -Xcc -march=native` in this folder; in yours,
// name the repository in place of the path.
import PackageDescription

let package = Package(
    name: "embedding",
    dependencies: [.package(name: "st-host", path: "../..")],
    targets: [
        .executableTarget(
            name: "Embedding",
            dependencies: [
                .product(name: "Host", package: "st-host"),
                .product(name: "LuaBridge", package: "st-host"),
            ])
    ]
)
