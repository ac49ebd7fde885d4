/// What a trained model's README.md tells; filled by the trainer.
public struct ModelCard: Sendable, Equatable {
    /// Name or folder of the model that training started from.
    public var baseModel: String?
    /// Whole text of a README.md to write as it is instead, e.g. of a model that was not trained.
    public var verbatim: String?

    public init(baseModel: String? = nil, verbatim: String? = nil) {
        self.baseModel = baseModel
        self.verbatim = verbatim
    }
}
