/// Finds what a mistyped word was probably meant to be.
enum NearestWord {
    /// The candidate that the fewest slips of a hand lead to.
    ///
    /// - Returns: `nil` where even the nearest one is another word.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let scored = candidates.map { (candidate: $0, distance: distance(word, $0)) }
        guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
        let isNear = best.distance <= slipsMax(in: word)
        let isBeginning = word.utf8.count >= 2 && best.candidate.hasPrefix(word)
        if isNear || isBeginning { return best.candidate }
        return candidates.first { word.utf8.count >= 2 && $0.hasPrefix(word) }
    }

    /// `: did you mean "list"?`, or nothing.
    static func question(for word: String, among candidates: [String]) -> String {
        nearest(to: word, among: candidates).map { ": did you mean \"\($0)\"?" } ?? ""
    }

    private static func slipsMax(in word: String) -> Int { max(1, word.utf8.count / 3) }

    /// Letters added, left out, changed, or swapped with a neighbour (optimal string alignment).
    static func distance(_ left: String, _ right: String) -> Int {
        // What nobody types by hand is not compared: the time is the product of both lengths.
        let (left, right) = (Array(left.utf8.prefix(64)), Array(right.utf8.prefix(64)))
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for i in 1...left.count {
            var row = [i] + [Int](repeating: 0, count: right.count)
            for j in 1...right.count {
                let change = left[i - 1] == right[j - 1] ? 0 : 1
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change)
                let isSwap =
                    i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]
                if isSwap { row[j] = min(row[j], beforeLast[j - 2] + 1) }
            }
            (beforeLast, last) = (last, row)
        }
        return last[right.count]
    }
}
