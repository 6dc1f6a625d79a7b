import Base

@main
enum Main {
    static func main() {}
}
