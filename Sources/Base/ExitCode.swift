/// What the three programs say with their exit status.
public enum ExitCode {
    /// Done.
    public static let ok: Int32 = 0
    /// Tried and failed; standard error says why.
    public static let failed: Int32 = 1
    /// The command line was not understood.
    public static let usage: Int32 = 2
    /// What was asked for does not exist.
    public static let notFound: Int32 = 3
    /// The configuration has problems, all of them listed (EX_CONFIG).
    public static let configuration: Int32 = 78
}
