// The best of trials with several objectives.

/// Indices of the `count` best points.
func bestByDominance(
    _ points: [(Int, [Double])], directions: [StudyDirection], count: Int
) throws -> [Int] {
    throw TuningError.unsupported(
        what: "TPESampler with several objectives", hint: "use RandomSampler")
}
