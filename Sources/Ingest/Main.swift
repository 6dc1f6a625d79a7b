import Base
import Foundation

/// The program `ingest`: acknowledges WhatsApp's webhooks once they are stored.
@main
enum Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(Program.run(arguments, environment: ProcessInfo.processInfo.environment))
    }
}
