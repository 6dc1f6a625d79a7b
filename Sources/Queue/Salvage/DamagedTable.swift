/// Walks a table of a damaged file by its row ids, and steps over what cannot be read.
///
/// Where a page is damaged SQLite refuses every look that leads through it. The walk then tries
/// further and further behind the last good row until one look succeeds, and halves the distance to
/// find the first row that can be read again. What lies between is lost, as a range of ids.
struct DamagedTable {
    /// Reads rows with ids from `first` on, in order, and hands each to `take`.
    ///
    /// Throws where it met damage; the rows before that have been taken.
    typealias Look = (_ first: Int64, _ limit: Int, _ take: (Int64) -> Void) -> Bool

    /// The highest id there can be.
    let last: Int64
    let look: Look

    /// Walks from id 1 to the end.
    ///
    /// - Returns: ranges of ids behind which rows may have been.
    func walk() -> [ClosedRange<Int64>] {
        var lost: [ClosedRange<Int64>] = []
        var next: Int64 = 1
        while next <= last {
            var read = next - 1
            let isWhole = look(next, .max) { read = max(read, $0) }
            if isWhole { return lost }
            guard let readable = firstReadable(after: read) else {
                lost.append(read + 1...last)
                return lost
            }
            lost.append(read + 1...max(read + 1, readable - 1))
            next = max(readable, read + 2)
        }
        return lost
    }

    /// - Returns: the first id behind `read` from which a look succeeds; nil where none does.
    private func firstReadable(after read: Int64) -> Int64? {
        var bad = read + 1
        var step: Int64 = 1
        while true {
            guard bad < last else { return nil }
            let candidate = step > last - bad ? last : bad + step
            if isReadable(candidate) { return narrowed(bad: bad, good: candidate) }
            guard candidate < last else { return nil }
            bad = candidate
            step = step > Int64.max / 2 ? step : step * 2
        }
    }

    private func narrowed(bad: Int64, good: Int64) -> Int64 {
        var (bad, good) = (bad, good)
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2
            if isReadable(middle) { good = middle } else { bad = middle }
        }
        return good
    }

    private func isReadable(_ first: Int64) -> Bool { look(first, 1) { _ in } }
}
