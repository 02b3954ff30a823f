-- wrk's requests: bodies from a file, one a line; MIX=1 puts wrong ones between them. Prints a line of JSON in the end.
local bodies, mix = {}, os.getenv("MIX") == "1"
local json = { ["Content-Type"] = "application/json" }
local threads = {}

-- What is sent, and the status that was asked for. Each leaves the connection open.
local wrong = {
  { "POST", "/v1/predict", '{"text": "cut', 400 },
  { "POST", "/v1/predict", '{"text": "\255\254"}', 400 },
  { "POST", "/v1/predict", '{"txet": "a"}', 400 },
  { "POST", "/v1/predict", '{"text": "a", "model": "none"}', 404 },
  { "POST", "/v1/tag", '{"text": "a"}', 422 },
  { "POST", "/nothing", "", 404 },
  { "GET", "/v1/predict", nil, 405 },
  { "POST", "/v1/predict", "[[[[[[[[[[[[", 400 },
}

function setup(thread)
  thread:set("seed", #threads)
  table.insert(threads, thread)
end

function init()
  for line in io.lines(os.getenv("BODIES")) do table.insert(bodies, line) end
  sent, got, count, next_wrong = {}, {}, seed * 1000, 0
  for _, status in ipairs({ 200, 400, 404, 405, 422 }) do sent[status] = 0 end
end

function request()
  count = count + 1
  if mix and count % 4 == 0 then
    next_wrong = next_wrong % #wrong + 1
    local method, path, body, status = unpack(wrong[next_wrong])
    sent[status] = sent[status] + 1
    return wrk.format(method, path, json, body)
  end
  sent[200] = sent[200] + 1
  return wrk.format("POST", "/v1/predict", json, bodies[count % #bodies + 1])
end

function response(status)
  got[status] = (got[status] or 0) + 1
end

local function sums(name)
  local sum, parts = {}, {}
  for _, thread in ipairs(threads) do
    for status, number in pairs(thread:get(name)) do sum[status] = (sum[status] or 0) + number end
  end
  for status, number in pairs(sum) do table.insert(parts, string.format('"%d": %d', status, number)) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "max_ms": %.4f, "socket_errors": %d, "sent": %s, "got": %s}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, sums("sent"), sums("got")))
end
