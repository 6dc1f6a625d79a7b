import Glibc

/// Lengths of long-running tests, which `make` targets raise by environment.
public enum EnvironmentNumber {
    /// The whole number in a variable of the environment.
    ///
    /// - Parameters:
    ///   - name: the variable.
    ///   - otherwise: what is used where it is not set or no number.
    /// - Returns: the number.
    public static func read(_ name: String, otherwise: Int) -> Int {
        getenv(name).flatMap { Int(String(cString: $0)) } ?? otherwise
    }
}
