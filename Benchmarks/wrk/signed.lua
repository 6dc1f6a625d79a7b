-- Sends requests that were signed beforehand: BENCH_REQUESTS names a file of them, each with its
-- length in a line before it (load make). One thread; each request in turn.
local requests = {}

function init(arguments)
    local file = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
    while true do
        local count = file:read("*n")
        if not count then break end
        file:read(1)
        requests[#requests + 1] = file:read(count)
    end
    file:close()
end

local next_index = 0
function request()
    next_index = next_index % #requests + 1
    return requests[next_index]
end

-- One line for the caller: requests, seconds, and answers that were no 2xx, and broken connections.
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"per_second": %.1f, "requests": %d, "not_2xx": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
        summary.requests / summary.duration * 1e6, summary.requests, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
