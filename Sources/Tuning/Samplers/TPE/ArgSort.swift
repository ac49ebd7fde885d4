// The order into which numpy's argsort puts equal keys.

/// Which of numpy's two sorts is followed where observations are tied.
///
/// `numpy.argsort` is not stable, and its order of equal keys depends on the processor. TPE gives
/// tied observations different bandwidths by their place in the sort, so the order decides about
/// all later suggestions (with integer parameters there are ties from the second trial on).
public enum TieOrder: Sendable {
    /// numpy on x86-64 with AVX2 or AVX-512, for up to 256 observations; beyond that numpy's
    /// order depends on the vector width and `scalar` is used.
    case simd
    /// numpy everywhere else.
    case scalar

    /// What numpy does on the processors that this program is compiled for.
    public static var native: TieOrder {
        #if arch(x86_64)
            .simd
        #else
            .scalar
        #endif
    }
}

/// Positions of the keys in ascending order; no key is NaN.
package func argSort(_ keys: [Double], _ tieOrder: TieOrder) -> [Int] {
    tieOrder == .simd && keys.count <= 256 ? bitonicArgSort(keys) : quickArgSort(keys)
}

/// A bitonic network over the next power of two, filled up with infinity.
private func bitonicArgSort(_ unsorted: [Double]) -> [Int] {
    var size = 1
    while size < unsorted.count { size *= 2 }
    var keys = unsorted + Array(repeating: .infinity, count: size - unsorted.count)
    var order = Array(0..<size)
    keys.withUnsafeMutableBufferPointer { keys in
        order.withUnsafeMutableBufferPointer { order in
            func compare(_ left: Int, _ right: Int) {
                if keys[right] < keys[left] {
                    keys.swapAt(left, right)
                    order.swapAt(left, right)
                }
            }
            var block = 2
            while block <= size {
                for start in stride(from: 0, to: size, by: block) {
                    for offset in 0..<block / 2 {
                        compare(start + offset, start + block - 1 - offset)
                    }
                }
                var distance = block / 4
                while distance >= 1 {
                    for start in stride(from: 0, to: size, by: 2 * distance) {
                        for offset in 0..<distance {
                            compare(start + offset, start + offset + distance)
                        }
                    }
                    distance /= 2
                }
                block *= 2
            }
        }
    }
    return Array(order.prefix(unsorted.count))
}

/// Quicksort of an index array with a median of three, insertion sort for short ranges and heap
/// sort where the recursion gets too deep.
private func quickArgSort(_ keys: [Double]) -> [Int] {
    var order = Array(0..<keys.count)
    guard keys.count > 1 else { return order }
    order.withUnsafeMutableBufferPointer { order in
        keys.withUnsafeBufferPointer { keys in
            var depth = 2 * (Int.bitWidth - 1 - keys.count.leadingZeroBitCount)
            var pending: [(first: Int, last: Int, depth: Int)] = []
            var first = 0
            var last = keys.count - 1
            while true {
                if depth < 0 {
                    heapSort(UnsafeMutableBufferPointer(rebasing: order[first...last]), keys)
                } else {
                    while last - first > 15 {
                        let split = partition(order, keys, first, last)
                        depth -= 1
                        if split - first < last - split {
                            pending.append((split + 1, last, depth))
                            last = split - 1
                        } else {
                            pending.append((first, split - 1, depth))
                            first = split + 1
                        }
                    }
                    insertionSort(order, keys, first, last)
                }
                guard let next = pending.popLast() else { break }
                (first, last, depth) = next
            }
        }
    }
    return order
}

/// Puts a pivot in its place and returns that place.
private func partition(
    _ order: UnsafeMutableBufferPointer<Int>, _ keys: UnsafeBufferPointer<Double>, _ first: Int,
    _ last: Int
) -> Int {
    let middle = first + (last - first) / 2
    if keys[order[middle]] < keys[order[first]] { order.swapAt(middle, first) }
    if keys[order[last]] < keys[order[middle]] { order.swapAt(last, middle) }
    if keys[order[middle]] < keys[order[first]] { order.swapAt(middle, first) }
    let pivot = keys[order[middle]]
    order.swapAt(middle, last - 1)
    var left = first
    var right = last - 1
    while true {
        repeat { left += 1 } while keys[order[left]] < pivot
        repeat { right -= 1 } while pivot < keys[order[right]]
        if left >= right { break }
        order.swapAt(left, right)
    }
    order.swapAt(left, last - 1)
    return left
}

private func insertionSort(
    _ order: UnsafeMutableBufferPointer<Int>, _ keys: UnsafeBufferPointer<Double>, _ first: Int,
    _ last: Int
) {
    guard first < last else { return }
    for index in (first + 1)...last {
        let moved = order[index]
        let key = keys[moved]
        var place = index
        while place > first && key < keys[order[place - 1]] {
            order[place] = order[place - 1]
            place -= 1
        }
        order[place] = moved
    }
}

private func heapSort(
    _ order: UnsafeMutableBufferPointer<Int>, _ keys: UnsafeBufferPointer<Double>
) {
    /// Lets the entry at `root` sink among the first `count`.
    func sink(_ root: Int, _ count: Int) {
        let moved = order[root]
        var place = root
        while 2 * place + 1 < count {
            var child = 2 * place + 1
            if child + 1 < count && keys[order[child]] < keys[order[child + 1]] { child += 1 }
            if !(keys[moved] < keys[order[child]]) { break }
            order[place] = order[child]
            place = child
        }
        order[place] = moved
    }
    for root in stride(from: order.count / 2 - 1, through: 0, by: -1) { sink(root, order.count) }
    for last in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(0, last)
        sink(0, last)
    }
}
