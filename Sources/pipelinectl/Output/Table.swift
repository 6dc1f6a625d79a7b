/// Rows and columns, aligned for people or separated by tabs for programs.
struct Table: Sendable {
    struct Column: Sendable {
        let title: String
        var isNumber = false
    }

    /// One value in its two forms; both are escaped when they are written.
    struct Cell: Sendable {
        /// For programs: exact, and empty where there is nothing.
        let plain: String
        /// For people.
        let humane: String
        var tone = Tone.ordinary

        init(_ plain: String, humane: String? = nil, tone: Tone = .ordinary) {
            self.plain = plain
            self.humane = humane ?? (plain.isEmpty ? "-" : plain)
            self.tone = tone
        }
    }

    let columns: [Column]
    var rows: [[Cell]] = []

    /// Widest that a cell is shown to people; the rest of it is cut off.
    static let cellWidthMax = 48

    /// Tab-separated lines without a heading, one a row; a tab inside a value is written `\t`.
    var plain: String {
        rows.map { row in
            row.map { HostileText.line($0.plain) }.joined(separator: "\t") + "\n"
        }.joined()
    }

    /// Aligned columns under a heading.
    func aligned(colour: Bool) -> String {
        let texts = rows.map { row in row.map { Self.shown($0.humane) } }
        let widths = columns.indices.map { index in
            ([columns[index].title] + texts.map { $0[index] }).map(\.count).max() ?? 0
        }
        let heading = zip(columns, widths).map { column, width in
            Tone.faint.painted(padded(column.title, width, column), colour: colour)
        }
        let lines = zip(rows, texts).map { row, texts in
            columns.indices.map { index in
                row[index].tone.painted(
                    padded(texts[index], widths[index], columns[index]), colour: colour)
            }
        }
        return ([heading] + lines).map { Self.trimmed($0.joined(separator: "  ")) + "\n" }.joined()
    }

    private func padded(_ text: String, _ width: Int, _ column: Column) -> String {
        let gap = String(repeating: " ", count: max(0, width - text.count))
        return column.isNumber ? gap + text : text + gap
    }

    private static func shown(_ text: String) -> String {
        let line = HostileText.line(text)
        return line.count <= cellWidthMax ? line : String(line.prefix(cellWidthMax - 1)) + "…"
    }

    private static func trimmed(_ line: String) -> String {
        var line = Substring(line)
        while line.last == " " { line = line.dropLast() }
        return String(line)
    }
}
