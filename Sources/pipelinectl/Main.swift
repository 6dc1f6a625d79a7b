import Glibc

@main
enum Main {
    static func main() {
        let environment = ProcessEnvironment.current()
        let program = Program(
            environment: environment, console: .standard(environment: environment))
        exit(program.run(Array(CommandLine.arguments.dropFirst())))
    }
}
