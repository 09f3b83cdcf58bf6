-- Corrects charges; never refuses. KEYS: the counters. ARGV[1]: the time in microseconds, empty for
-- the server's own. Then five per counter: "r", step_us, "1" to give back, amount, window_us or
-- "b", charged, actual, ends_ms, "".
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
for i, key in ipairs(KEYS) do
  local at = i * 5 - 3
  local old = redis.call('GET', key)
  if ARGV[at] == 'r' then
    local step, back = tonumber(ARGV[at + 1]), ARGV[at + 2] == '1'
    local amount, window = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    local a, b
    if old then
      a, b = string.match(old, '^(%d+):(%d+)$')
      a, b = tonumber(a), tonumber(b)
    end
    local us, fraction = nil, 0
    if back then
      if a then us = math.max(0, a - step) end
    else
      us = now
      if a and a > now + window * 16 then us, fraction = now + window, 0
      elseif a and a >= now and b >= amount then us, fraction = a + 1, 0
      elseif a and a >= now then us, fraction = a, b end
      us = math.min(us + step, now + window * 16)
    end
    if us then
      local ttl = math.max(1, math.ceil((us - now) / 1000) + 1)
      redis.call('SET', key, string.format('%.0f:%.0f', us, fraction), 'PX', string.format('%.0f', ttl))
    end
  else
    local ttl = tonumber(ARGV[at + 3]) - math.floor(now / 1000)
    if ttl > 0 then
      local used = math.max(0, (tonumber(old) or 0) - tonumber(ARGV[at + 1])) + tonumber(ARGV[at + 2])
      redis.call('SET', key, string.format('%.0f', used), 'PX', string.format('%.0f', ttl))
    end
  end
end
return 1
