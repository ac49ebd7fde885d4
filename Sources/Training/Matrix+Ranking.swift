// The best numbers of rows, and search by similarity made of it.

extension Matrix {
    /// Places of the `count` largest (or smallest) numbers of a row, best first; equal ones in order.
    /// NaN counts as the largest number, as in torch.
    public func topPlaces(row: Int, _ count: Int, largest: Bool = true) -> [Int] {
        guard count > 0, row >= 0, row < rows else { return [] }
        let line = rowPointer(row)
        // A heap of the best so far with the worst of them on top: most numbers are turned away by
        // one comparison.
        var heap: [Int] = []
        heap.reserveCapacity(Swift.min(count, columns))
        /// Whether a place ranks below another one.
        func isWorse(_ a: Int, _ b: Int) -> Bool {
            let (x, y) = (line[a], line[b])
            if x < y { return largest }
            if x > y { return !largest }
            if x.isNaN != y.isNaN { return x.isNaN != largest }
            return a > b
        }
        func sink(_ start: Int) {
            var parent = start
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { return }
                if child + 1 < heap.count, isWorse(heap[child + 1], heap[child]) { child += 1 }
                guard isWorse(heap[child], heap[parent]) else { return }
                heap.swapAt(parent, child)
                parent = child
            }
        }
        for place in 0..<columns {
            if heap.count < count {
                heap.append(place)
                if heap.count == count {
                    for start in (0..<count / 2).reversed() { sink(start) }
                }
            } else if isWorse(heap[0], place) {
                heap[0] = place
                sink(0)
            }
        }
        return heap.sorted { isWorse($1, $0) }
    }
}

/// One document found for a query.
public struct SearchHit: Sendable, Equatable {
    /// Row of the corpus, from 0.
    public let corpusID: Int
    public let score: Float
}

/// For every query the `topK` most similar rows of the corpus, best first.
///
/// - score: similarities of a chunk of queries with a chunk of the corpus, [queries, documents].
/// - queryChunkSize (100), corpusChunkSize (500,000): rows compared at a time; memory is their
///   product.
/// Source: sentence_transformers.util.semantic_search.
public func semanticSearch(
    _ queries: Matrix, _ corpus: Matrix, queryChunkSize: Int = 100, corpusChunkSize: Int = 500_000,
    topK: Int = 10, score: (Matrix, Matrix) throws -> Matrix
) throws -> [[SearchHit]] {
    var hits = [[SearchHit]](repeating: [], count: queries.rows)
    for queryStart in stride(from: 0, to: queries.rows, by: queryChunkSize) {
        let queryChunk = queries.chunk(queryStart, queryChunkSize)
        for corpusStart in stride(from: 0, to: corpus.rows, by: corpusChunkSize) {
            let scores = try score(queryChunk, corpus.chunk(corpusStart, corpusChunkSize))
            for row in 0..<scores.rows {
                let found = scores.topPlaces(row: row, topK).map {
                    SearchHit(corpusID: corpusStart + $0, score: scores[row, $0])
                }
                let all = hits[queryStart + row] + found
                hits[queryStart + row] = Array(
                    all.sorted {
                        if $0.score.isNaN != $1.score.isNaN { return $0.score.isNaN }
                        return $0.score > $1.score
                            || !($0.score < $1.score) && $0.corpusID < $1.corpusID
                    }.prefix(topK))
            }
        }
    }
    return hits
}

extension Matrix {
    /// At most `count` rows from `start`; the matrix itself when that is all of it.
    fileprivate func chunk(_ start: Int, _ count: Int) -> Matrix {
        let count = Swift.min(count, rows - start)
        if count == rows { return self }
        let part = Matrix(rows: count, columns: columns)
        part.storage.update(from: rowPointer(start), count: count * columns)
        return part
    }
}
