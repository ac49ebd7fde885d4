// What a test file finds as globals: describe, it and the assertions. Written in Lua, so that an
// assertion's error names the line of the test that made it.

enum TestLibrary {
    /// Called with (show, now, isWanted, reseed); returns the function that runs the collected tests
    /// and gives their results as a sequence of { name, outcome, message, seconds }.
    static let source = #"""
        local show, now, is_wanted, reseed = ...
        local cases, block, running = {}, { before = {}, after = {} }, false
        local PENDING = setmetatable({}, { __name = "pending" })

        -- It would end the other files' tests, too, and with a status of its own.
        function os.exit()
            error("os.exit: a test file ends by itself; raise an error to fail", 2)
        end

        local function named(name, what)
            if type(name) ~= "string" then
                error(what .. ": expected a name, got " .. type(name), 3)
            end
            return name
        end

        local function callable(body, what)
            local meta = getmetatable(body)
            if type(body) == "function" or type(meta) == "table" and meta.__call then return body end
            error(what .. ": expected function, got " .. type(body), 3)
        end

        local function path(name)
            local parts, b = { name }, block
            while b.name do
                table.insert(parts, 1, b.name)
                b = b.parent
            end
            return table.concat(parts, " ")
        end

        local function outside(what)
            if running then error(what .. ": can't be used within a test", 3) end
        end

        function describe(name, body)
            outside("describe")
            named(name, "describe")
            callable(body, "describe")
            block = { name = name, parent = block, before = {}, after = {} }
            local ok, problem = pcall(body)
            block = block.parent
            if not ok then error(problem, 0) end
        end

        function it(name, body)
            outside("it")
            named(name, "it")
            if body ~= nil then callable(body, "it") end
            cases[#cases + 1] = { name = path(name), body = body, block = block }
        end

        function pending(name, body)
            if running then
                error(setmetatable({ reason = name }, { __name = "pending", pending = PENDING }), 0)
            end
            cases[#cases + 1] = { name = path(named(name, "pending")), block = block }
        end

        function before_each(body)
            outside("before_each")
            table.insert(block.before, callable(body, "before_each"))
        end

        function after_each(body)
            outside("after_each")
            table.insert(block.after, callable(body, "after_each"))
        end

        local function text_of(value, message)
            return (message and tostring(message) .. ": " or "") .. value
        end

        -- Where two values differ, as a path and both; nil when they are equal.
        local function difference(a, b, same, path, seen)
            if same(a, b) then return nil end
            if type(a) ~= "table" or type(b) ~= "table" or getmetatable(a) and getmetatable(a).__eq then
                return path, a, b
            end
            if seen[a] == b then return nil end
            seen[a] = b
            for key, value in pairs(a) do
                local inner = path .. (type(key) == "string" and "." .. key or "[" .. tostring(key) .. "]")
                local where, x, y = difference(value, b[key], same, inner, seen)
                if where then return where, x, y end
            end
            for key, value in pairs(b) do
                if a[key] == nil then
                    return path .. (type(key) == "string" and "." .. key or "[" .. tostring(key) .. "]"),
                        nil, value
                end
            end
        end

        local function complain(where, expected, actual, message, extra)
            local at = where ~= "" and "at " .. where:gsub("^%.", "") .. ": " or ""
            error(text_of(at .. "expected " .. show(expected) .. ", got " .. show(actual) .. (extra or ""),
                message), 3)
        end

        function assert_equal(expected, actual, message)
            local where, x, y = difference(expected, actual, function(a, b) return a == b end, "", {})
            if where then complain(where, x, y, message) end
        end

        -- numbers within atol + rtol * |expected|, in sequences, tables and matrices, too
        function assert_close(expected, actual, options, message)
            if type(options) == "number" then options = { atol = options, rtol = 0 } end
            options = options or {}
            for name in pairs(options) do
                if name ~= "atol" and name ~= "rtol" then
                    error("assert_close: unknown argument '" .. tostring(name) .. "'; valid: atol, rtol", 2)
                end
            end
            local atol, rtol = options.atol or 1e-8, options.rtol or 1e-5
            local function rows(value)
                if type(value) ~= "userdata" then return value end
                local ok, list = pcall(function() return value:tolist() end)
                return ok and list or value
            end
            local function close(a, b)
                if type(a) == "number" and type(b) == "number" then
                    if a ~= a or b ~= b then return a ~= a and b ~= b end
                    return a == b or math.abs(a - b) <= atol + rtol * math.abs(a)
                end
                return a == b
            end
            local where, x, y = difference(rows(expected), rows(actual), close, "", {})
            if where then
                complain(where, x, y, message,
                    (" (atol = %g, rtol = %g)"):format(atol, rtol))
            end
        end

        -- the function raises, and the message contains the text; returns the message
        function assert_error(body, text)
            callable(body, "assert_error")
            local ok, problem = pcall(body)
            if ok then error("expected an error, and there was none", 2) end
            local said = tostring(problem)
            if text ~= nil and not said:find(text, 1, true) then
                error("expected an error with " .. show(text) .. ", got " .. show(said), 2)
            end
            return said
        end

        local function run(case)
            local chain, b = {}, case.block
            while b do
                table.insert(chain, 1, b)
                b = b.parent
            end
            reseed()
            running = true
            local ok, problem = pcall(function()
                for _, b in ipairs(chain) do
                    for _, f in ipairs(b.before) do f() end
                end
                case.body()
            end)
            for i = #chain, 1, -1 do
                for _, f in ipairs(chain[i].after) do
                    local fine, other = pcall(f)
                    if ok and not fine then ok, problem = false, other end
                end
            end
            running = false
            return ok, problem
        end

        return function()
            local results = {}
            for _, case in ipairs(cases) do
                if is_wanted(case.name) then
                    local result = { name = case.name, outcome = "pending", seconds = 0 }
                    if case.body then
                        local start = now()
                        local ok, problem = run(case)
                        result.seconds = now() - start
                        local meta = getmetatable(problem)
                        if ok then
                            result.outcome = "passed"
                        elseif type(meta) == "table" and meta.pending == PENDING then
                            result.message = problem.reason and tostring(problem.reason)
                        else
                            result.outcome = "failed"
                            result.message = type(problem) == "table" and not meta
                                and "error object " .. show(problem) or tostring(problem)
                        end
                    end
                    results[#results + 1] = result
                end
            end
            return results, #cases
        end
        """#
}
