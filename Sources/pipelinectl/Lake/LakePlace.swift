/// Opens the lake that LAKE_URL names, to read from it.
enum LakePlace {
    static func store(_ url: String) throws(Failure) -> any LakeStore {
        if let directory = LakeCheck.directory(of: url) { return DirectoryStore(root: directory) }
        throw .failed("\(url) is no lake that can be read from here")
    }
}
