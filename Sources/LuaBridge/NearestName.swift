// "did you mean": the nearest valid name by edit distance.

/// The name in `names` nearest to `name`, when it is near enough to be a slip: at most a third of
/// the letters differ (at least one may, two in names of four letters or more), or one name begins
/// with the other, or the valid one ends with whole words that were given ("epochs" for
/// "num_train_epochs"). Case and '-' for '_' cost nothing.
public func nearestName(to name: String, in names: [String]) -> String? {
    func folded(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == 45 ? 95 : ($0 >= 65 && $0 <= 90 ? $0 + 32 : $0) }
    }
    let wanted = folded(name)
    guard wanted.count <= 200 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in names {
        let letters = folded(candidate)
        let limit = max(wanted.count >= 4 ? 2 : 1, max(wanted.count, letters.count) / 3)
        var distance = editDistance(wanted, letters)
        if distance > limit {
            // "lr_scheduler" for "lr_scheduler_type"
            let shorter = min(wanted.count, letters.count)
            guard shorter >= 4 else { continue }
            if wanted.prefix(shorter) == letters.prefix(shorter) {
                distance = limit
            } else if letters.count > wanted.count, letters.suffix(wanted.count) == wanted[...],
                letters[letters.count - wanted.count - 1] == 95
            {
                distance = limit + 1
            } else {
                continue
            }
        }
        // Of equally near names one with the same first letter: slips seldom begin a word.
        let isNearer =
            best.map { best in
                distance < best.distance
                    || distance == best.distance && letters.first == wanted.first
                        && folded(best.name).first != wanted.first
            } ?? true
        if isNearer { best = (candidate, distance) }
    }
    return best?.name
}

/// Optimal string alignment distance: insert, delete, replace, swap neighbours.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var before = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    for i in 1...a.count {
        var current = [Int](repeating: i, count: b.count + 1)
        for j in 1...b.count {
            let same = a[i - 1] == b[j - 1]
            var cost = min(
                previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same ? 0 : 1))
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                cost = min(cost, before[j - 2] + 1)
            }
            current[j] = cost
        }
        before = previous
        previous = current
    }
    return previous[b.count]
}
