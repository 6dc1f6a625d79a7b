-- POSTs messages, every twentieth of a conversation that the receiver fails; as `benchmark-fill`
-- makes them. One thread.
local bodies = {}

function init(arguments)
    for number = 0, 19999 do
        local from = (number % 20 == 0) and "bad" or "491"
        bodies[#bodies + 1] = wrk.format("POST", nil, {["Content-Type"] = "application/json"},
            string.format('{"object":"whatsapp_business_account","entry":[{"id":"800100200300401",'
                .. '"changes":[{"value":{"messaging_product":"whatsapp","metadata":{'
                .. '"display_phone_number":"4930555001","phone_number_id":"700100200300401"},'
                .. '"contacts":[{"profile":{"name":"Test"},"wa_id":"%s%010d"}],"messages":[{'
                .. '"from":"%s%010d","id":"wamid.HBgNNDkxNTU1MDAwMDAwMRUCABEFILL%010d==",'
                .. '"timestamp":"1763920001","type":"text","text":{"body":"When will it come, please?"'
                .. '}}]},"field":"messages"}]}]}', from, number, from, number, number))
    end
end

local next_index = 0
function request()
    next_index = next_index % #bodies + 1
    return bodies[next_index]
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format('{"per_second": %.1f, "broken": %d}\n',
        summary.requests / summary.duration * 1e6,
        errors.connect + errors.read + errors.write + errors.timeout))
end
