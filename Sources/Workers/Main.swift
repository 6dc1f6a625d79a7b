import Base
import Foundation

/// The program `workers`: drains the queue, statuses to the lake and the rest to PHP.
@main
enum Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(Program.run(arguments, environment: ProcessInfo.processInfo.environment))
    }
}
