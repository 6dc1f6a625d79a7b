/// Which release of the pipeline this is; the three programs are built and released together.
public enum Release {
    /// Semantic version, as in CHANGELOG.md.
    public static let version = "0.1.0"
}
