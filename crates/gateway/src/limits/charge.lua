-- Makes every charge or none. KEYS: the counters. ARGV[1]: the time in microseconds, empty for the
-- server's own. Then five per counter: "r", step_us, step_fraction, amount, window_us or "b", cost,
-- max, ends_ms, "". Answers {-1} or {index, wait in microseconds}. All numbers stay below 2^53.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local refused, longest = -1, -1
local sets = {}
for i, key in ipairs(KEYS) do
  local at = i * 5 - 3
  local old = redis.call('GET', key)
  local wait, value, ttl = -1, nil, 0
  if ARGV[at] == 'r' then
    local step_us, step_fraction = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    local amount, window = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    local us, fraction = now, 0
    if old then
      local a, b = string.match(old, '^(%d+):(%d+)$')
      a, b = tonumber(a), tonumber(b)
      if a and a > now + window * 16 then us, fraction = now + window, 0
      elseif a and a >= now and b >= amount then us, fraction = a + 1, 0
      elseif a and a >= now then us, fraction = a, b end
    end
    us, fraction = us + step_us, fraction + step_fraction
    if fraction >= amount then us, fraction = us + 1, fraction - amount end
    local full = now + window
    if us > full or (us == full and fraction > 0) then
      wait = us - full
      if fraction > 0 then wait = wait + 1 end
    else
      value = string.format('%.0f:%.0f', us, fraction)
      ttl = math.ceil((us - now) / 1000) + 1
    end
  else
    local used = (tonumber(old) or 0) + tonumber(ARGV[at + 1])
    local ends = tonumber(ARGV[at + 3])
    if used > tonumber(ARGV[at + 2]) then
      wait = math.max(0, ends * 1000 - now)
    else
      value = string.format('%.0f', used)
      ttl = math.max(1000, ends - math.floor(now / 1000))
    end
  end
  if wait > longest then refused, longest = i - 1, wait end
  sets[i] = { value, ttl }
end
if refused >= 0 then
  return { refused, string.format('%.0f', longest) }
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, sets[i][1], 'PX', string.format('%.0f', sets[i][2]))
end
return { -1, '0' }
