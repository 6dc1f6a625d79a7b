/// Which release of the pipeline this is; the three programs are built and released together.
public enum Release {
    /// Semantic version, as in CHANGELOG.md.
    public static let version = "0.1.0"
    /// The day of the release, as manual pages show it.
    public static let date = "2026-11-24"
}
