import Testing

/// Everything that starts the real programs: ingest, workers, pipelinectl, and `php -S`.
///
/// Each test has an installation of its own, in a directory of its own, on ports of its own. They
/// run one after the other: they are about crashes and order, and two cores are soon busy.
@Suite(.serialized) struct SystemTests {}
