import Glibc

/// One trainable tensor: its value, its gradient, and what the optimizer must know about it.
///
/// The pointers live as long as the parameter. `gradient` is accumulated into by backward passes
/// and zeroed by `zeroGradient()`.
public final class Parameter: @unchecked Sendable {
    /// The checkpoint's key, e.g. "encoder.layer.0.attention.self.query.weight".
    public let name: String
    /// The name inside Python's loss module, e.g. "model.0.model.encoder.layer.0...". It is what
    /// `learning_rate_mapping` patterns match and what decides about weight decay.
    public let qualifiedName: String
    public let shape: [Int]
    public let count: Int
    package let value: UnsafeMutablePointer<Float>
    /// `nil` when no gradient ever reaches the tensor (BERT's unused pooler): clipping and the
    /// optimizer pass it over, as PyTorch does for `grad is None`.
    package let gradient: UnsafeMutablePointer<Float>?
    /// For embedding tables [rows, columns]: the rows with a non-zero gradient since the last
    /// `zeroGradient()`, ascending; `nil` for dense tensors. Other rows' gradients are zero.
    package var touchedRows: [Int32]?
    /// Owners of the memory behind the pointers.
    private let memory: [AnyObject]

    /// `memory` is kept alive with the parameter.
    package init(
        name: String, qualifiedName: String, shape: [Int],
        value: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>?,
        touchedRows: [Int32]? = nil, memory: [AnyObject] = []
    ) {
        self.name = name
        self.qualifiedName = qualifiedName
        self.shape = shape
        self.count = shape.reduce(1, *)
        self.value = value
        self.gradient = gradient
        self.touchedRows = touchedRows
        self.memory = memory
    }

    /// Zeroes the gradient: touched rows only where rows are tracked.
    package func zeroGradient() {
        guard let gradient else { return }
        guard let rows = touchedRows else {
            gradient.update(repeating: 0, count: count)
            return
        }
        let columns = shape.count > 1 ? shape[1] : 1
        for row in rows {
            (gradient + Int(row) * columns).update(repeating: 0, count: columns)
        }
        touchedRows = []
    }

    /// Asks for large pages for a dense tensor's gradient: a large page lies across tensors, so all of
    /// them have to have asked before the first one is written to.
    package func prepareGradient() {
        guard let gradient, touchedRows == nil else { return }
        advise(gradient, MADV_HUGEPAGE)
    }

    /// Has the system give the value of a dense tensor pages of its own at once. Of a mapped file these
    /// would come one by one with the first update, and each of them stops all threads.
    package func prepareValue() {
        guard gradient != nil, touchedRows == nil else { return }
        // Kernels before 5.14 refuse, and go on page by page.
        advise(value, MADV_POPULATE_WRITE)
    }

    private func advise(_ values: UnsafeMutablePointer<Float>, _ advice: Int32) {
        let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
        let start = UInt(bitPattern: values) & ~(page - 1)
        let end = UInt(bitPattern: values + count)
        _ = madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), advice)
    }

    /// Adds rows, ascending and distinct, to ``touchedRows``.
    package func touch(_ rows: [Int32]) {
        guard let old = touchedRows, !old.isEmpty else {
            touchedRows = rows
            return
        }
        var merged: [Int32] = []
        merged.reserveCapacity(old.count + rows.count)
        var left = 0
        var right = 0
        while left < old.count || right < rows.count {
            let takesLeft = right == rows.count || left < old.count && old[left] <= rows[right]
            let row = takesLeft ? old[left] : rows[right]
            if takesLeft { left += 1 } else { right += 1 }
            if merged.last != row { merged.append(row) }
        }
        touchedRows = merged
    }
}
