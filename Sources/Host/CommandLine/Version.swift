// What `st-host --version` prints.

package enum Version {
    package static let number = "0.1.0"
    package static let text =
        "st-host \(number) (Lua 5.4; names of sentence-transformers 6.2 and Optuna 5.0)"
}
