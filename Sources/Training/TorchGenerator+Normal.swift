// Normal and uniform numbers as torch draws them on a CPU, for the initial weights of models.

import Glibc

extension TorchGenerator {
    /// `tensor.normal_(mean, std)`: 16 and more numbers go through Box and Muller's transform in
    /// blocks of 16, fewer one by one in double precision.
    ///
    /// Equal to torch's up to 5e-5 deviations: its vector code has sines of its own with that error.
    /// Source: ATen/native/cpu/DistributionTemplates.h. Checked by `ModelFromConfigTests`.
    package func fillNormal(
        _ target: UnsafeMutablePointer<Float>, count: Int, mean: Float = 0, deviation: Float
    ) {
        guard count >= 16 else {
            var next: Double?
            for index in 0..<max(count, 0) {
                let sample = next ?? pair(&next)
                if index % 2 == 1 { next = nil }
                target[index] = Float(Double(mean) + Double(deviation) * sample)
            }
            return
        }
        for index in 0..<count { target[index] = nextFloat() }
        for start in stride(from: 0, through: count - 16, by: 16) {
            Self.transform(target + start, mean, deviation)
        }
        guard count % 16 != 0 else { return }
        // The rest takes 16 new numbers and the block that ends with it.
        let last = target + count - 16
        for index in 0..<16 { last[index] = nextFloat() }
        Self.transform(last, mean, deviation)
    }

    /// Passes over the words that uniform numbers for a tensor take.
    package func skipUniform(count: Int) {
        for _ in 0..<max(count, 0) { _ = next32() }
    }

    /// Passes over the words of ``fillNormal(_:count:mean:deviation:)``.
    package func skipNormal(count: Int) {
        if count >= 16 {
            skipUniform(count: count % 16 == 0 ? count : count + 16)
        } else {
            skipUniform(count: (count + 1) / 2 * 4)
        }
    }

    /// 24 bits of a word, in 0..<1.
    private func nextFloat() -> Float { Float(next32() & 0xff_ffff) * 0x1p-24 }

    /// One normal number; the second of the pair goes into `next`.
    private func pair(_ next: inout Double?) -> Double {
        let first = Double(next64() & (1 << 53 - 1)) * 0x1p-53
        let second = Double(next64() & (1 << 53 - 1)) * 0x1p-53
        let radius = (-2 * log1p(-second)).squareRoot()
        let angle = 2 * Double.pi * first
        next = radius * sin(angle)
        return radius * cos(angle)
    }

    private static func transform(
        _ block: UnsafeMutablePointer<Float>, _ mean: Float, _ deviation: Float
    ) {
        for index in 0..<8 {
            let radius = (-2 * logf(1 - block[index])).squareRoot()
            let angle = 2 * Float.pi * block[index + 8]
            block[index] = radius * cosf(angle) * deviation + mean
            block[index + 8] = radius * sinf(angle) * deviation + mean
        }
    }
}
