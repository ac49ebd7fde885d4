/// A sentence-embedding model: tokenizer, encoder and the modules after it.
///
/// START HERE for the model side: `init` loads a folder, ``encode`` embeds, ``save(to:)`` writes a
/// folder that Python loads; ``forward(_:dropout:)`` and ``backward(_:)`` serve the trainer.
public final class SentenceTransformer: @unchecked Sendable {
    /// All trainable tensors, in the order of Python's `model.parameters()`.
    package let parameters: [Parameter]

    init(parameters: [Parameter]) { self.parameters = parameters }
}
