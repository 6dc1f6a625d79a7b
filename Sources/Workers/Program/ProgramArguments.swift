/// What the command line of `workers` asks for.
enum ProgramArguments: Equatable {
    /// To run these pools until a signal comes.
    case run(Pools, configurationFile: String?)
    case help
    case version
    /// Not understood; the text says what.
    case mistake(String)

    /// Which pools one process runs.
    enum Pools: String, CaseIterable {
        case both
        case lake
        case forward

        var hasLake: Bool { self != .forward }
        var hasForward: Bool { self != .lake }
    }

    static let helpText = """
        workers - drains the webhook queue: statuses to the data lake, everything else to PHP

        usage: workers [--pool lake|forward] [--config FILE]

          --pool lake       run the lake pool only
          --pool forward    run the forward pool only
          --config FILE     settings as KEY=VALUE lines; the environment wins over them
          --help            this text
          --version         the version

        Settings are listed in docs/CONFIGURATION.md. FORWARD_URL and WHATSAPP_APP_SECRET are
        required, the latter two for the forward pool only.

        examples:
          workers --config /etc/whatsapp-pipeline/pipeline.env
          FORWARD_URL=http://127.0.0.1:8000/webhook.php workers --pool forward

        """

    init(_ arguments: [String]) {
        var pools = Pools.both
        var file: String?
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h":
                self = .help
                return
            case "--version":
                self = .version
                return
            case "--pool":
                guard let name = rest.popFirst(), name != Pools.both.rawValue,
                    let named = Pools(rawValue: name)
                else {
                    self = .mistake("--pool takes lake or forward")
                    return
                }
                pools = named
            case "--config":
                guard let path = rest.popFirst() else {
                    self = .mistake("--config takes the path of a file")
                    return
                }
                file = path
            default:
                self = .mistake("unknown argument \(argument)")
                return
            }
        }
        self = .run(pools, configurationFile: file)
    }
}
