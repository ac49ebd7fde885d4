// SHA-256, for names that must be those of Optuna.

/// The digest in lower-case hexadecimal digits.
///
/// Source: FIPS 180-4. Checked by `QuasiRandomSequenceTests`.
package func sha256(_ text: String) -> String {
    var message = Array(text.utf8)
    let bitCount = UInt64(message.count) * 8
    message.append(0x80)
    while message.count % 64 != 56 { message.append(0) }
    for shift in stride(from: 56, through: 0, by: -8) {
        message.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
    }
    var hash = initialHash
    for block in stride(from: 0, to: message.count, by: 64) {
        var words = (0..<16).map { word in
            (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(message[block + 4 * word + $1]) }
        }
        for index in 16..<64 {
            let (old, recent) = (words[index - 15], words[index - 2])
            let small = rotated(old, 7) ^ rotated(old, 18) ^ (old >> 3)
            let large = rotated(recent, 17) ^ rotated(recent, 19) ^ (recent >> 10)
            words.append(words[index - 16] &+ small &+ words[index - 7] &+ large)
        }
        var state = hash
        for index in 0..<64 {
            let (a, b, c, e) = (state[0], state[1], state[2], state[4])
            let mix = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
            let choice = (e & state[5]) ^ (~e & state[6])
            let first = state[7] &+ mix &+ choice &+ roundConstants[index] &+ words[index]
            let majority = (a & b) ^ (a & c) ^ (b & c)
            let second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ majority
            state = [first &+ second, a, b, c, state[3] &+ first, e, state[5], state[6]]
        }
        for index in 0..<8 { hash[index] = hash[index] &+ state[index] }
    }
    return hash.map { word in
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }.joined()
}

private func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word >> count | word << (32 - count)
}

/// The first 64 primes: their roots' fractions are the constants of the algorithm.
private let primes: [UInt64] = {
    var primes: [UInt64] = []
    var candidate: UInt64 = 2
    while primes.count < 64 {
        if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
        candidate += 1
    }
    return primes
}()

/// The first 32 bits after the point of the square roots of the first eight primes.
private let initialHash: [UInt32] = primes.prefix(8).map { fraction($0, power: 2) }

/// The same of the cube roots of all 64.
private let roundConstants: [UInt32] = primes.map { fraction($0, power: 3) }

/// ⌊p^(1/power) · 2³²⌋ mod 2³², by bisection on whole numbers.
private func fraction(_ prime: UInt64, power: Int) -> UInt32 {
    var low: UInt64 = 0
    var high: UInt64 = 1 << 38
    let target = UInt128(prime) << UInt128(32 * power)
    while high - low > 1 {
        let middle = (low + high) / 2
        let value = (1..<power).reduce(UInt128(middle)) { product, _ in product * UInt128(middle) }
        if value <= target { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
}
