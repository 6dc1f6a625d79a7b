/// A command line that was not understood.
struct UsageError: Error, Equatable {
    /// What is wrong, and the nearest thing that would be right.
    let message: String
    /// The command it was about, to point to its help; empty where that is unclear.
    let command: String

    init(_ message: String, command: String = "") {
        self.message = message
        self.command = command
    }

    /// Where to read on.
    var hint: String {
        command.isEmpty ? "see: pipelinectl help" : "see: pipelinectl \(command) --help"
    }
}
