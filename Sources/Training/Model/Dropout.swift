/// Where dropout masks come from during a training forward pass.
package enum DropoutMode {
    /// No dropout (evaluation, parity tests).
    case off
    /// Counter-based: a mask bit is a pure function of `seed`, `step`, the layer, the site and the
    /// element's index, so it needs no storage and does not depend on the number of threads.
    case counter(seed: UInt64, step: UInt64)
    /// torch's serial CPU stream, drawn in torch's order over the padded shapes of each pass of
    /// the batch (``PackedBatch/passes``). Slow; for number-by-number comparison with Python.
    case torch(TorchGenerator)
}
