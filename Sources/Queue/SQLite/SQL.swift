/// One SQL statement: a constant of this module, its parameters numbered, never put together.
struct SQL: Hashable {
    let text: String
}

extension SQL: ExpressibleByStringLiteral {
    init(stringLiteral text: String) { self.text = text }
}
