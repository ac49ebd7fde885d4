import OrderedJSON
import Testing

struct JSONParserTests {
    @Test func `keys keep their order and the last of equal keys wins`() throws {
        let value = try JSONValue.parse(#"{"b": 1, "a": [true, null], "b": 2.0, "": {}}"#)
        let object = try #require(value.objectValue)
        #expect(object.keys == ["b", "a", ""])
        #expect(object["b"] == .double(2))
        #expect(object["a"] == [true, .null])
        #expect(object["c"] == nil)
    }

    @Test(arguments: [
        ("0", JSONValue.int(0)), ("-0", .int(0)), ("5", .int(5)), ("5.0", .double(5)),
        ("-17e-1", .double(-1.7)), ("1E3", .double(1000)), ("1e+2", .double(100)),
        ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
        ("9223372036854775808", .double(9_223_372_036_854_775_808)),
        ("123456789012345678901234567890", .double(1.2345678901234568e29)),
        ("0.1", .double(0.1)), ("123456789.123456789", .double(123456789.123456789)),
        ("1e-400", .double(0)), ("1e400", .double(.infinity)), ("-1e400", .double(-.infinity)),
        ("1e99999999999999999999", .double(.infinity)),
        ("2.2250738585072012e-308", .double(.leastNormalMagnitude)),
        ("9007199254740993", .int(9_007_199_254_740_993)),
        ("9007199254740993.0", .double(9_007_199_254_740_992)),
        ("0.000000000000000000000000000000000000000000000000001", .double(1e-51)),
        ("Infinity", .double(.infinity)), ("-Infinity", .double(-.infinity)),
    ])
    func `numbers keep their kind and round correctly`(text: String, expected: JSONValue) throws {
        #expect(try JSONValue.parse(text) == expected)
    }

    @Test func `negative zero and NaN are read`() throws {
        let zero = try #require(try JSONValue.parse("-0.0").doubleValue)
        #expect(zero == 0 && zero.sign == .minus)
        #expect(try JSONValue.parse("NaN").doubleValue?.isNaN == true)
    }

    @Test(arguments: [
        (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{08}\u{0c}\n\r\tz"),
        (#""\u00e9\u20AC""#, "é€"), (#""\ud83d\ude00!""#, "😀!"), (#""\u0000""#, "\u{0}"),
        ("\"naïve 日本 👩‍👩‍👧\"", "naïve 日本 👩‍👩‍👧"),
    ])
    func `strings are unescaped`(text: String, expected: String) throws {
        #expect(try JSONValue.parse(text) == .string(expected))
    }

    @Test func `canonically equivalent keys stay apart`() throws {
        let value = try JSONValue.parse(#"{"\u00e9": 1, "e\u0301": 2}"#)
        #expect(value["\u{e9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(JSONValue.string("\u{e9}") != .string("e\u{301}"))
    }

    @Test func `large objects find every key`() throws {
        let members = (0..<5000).map { "\"word\($0)\": \($0)" }
        let value = try JSONValue.parse("{" + members.joined(separator: ",") + "}")
        #expect((0..<5000).allSatisfy { value["word\($0)"] == .int(Int64($0)) })
        #expect(value["word5000"] == nil)
    }

    @Test(arguments: [
        ("", "line 1, column 1: the text is empty"),
        (" \n ", "line 2, column 2: the text holds no value"),
        ("{\"a\": 1,\n \"ü\" 2}", "line 2, column 6: expected ':' after the key, found '2'"),
        ("{a: 1}", "line 1, column 2: expected a key in double quotes, found 'a'"),
        ("{\"a\": 1,}", "line 1, column 9: expected a key in double quotes, found '}'"),
        ("[1, 2", "line 1, column 6: expected ',' or ']', found the end of the text"),
        ("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
        ("[1,]", "line 1, column 4: expected a value, found ']'"),
        ("{\"a\": 1 \"b\"}", "line 1, column 9: expected ',' or '}', found '\"'"),
        ("tru", "line 1, column 1: expected a value, found 't'"),
        ("\"a", "line 1, column 1: the string has no end"),
        ("\"a\\", "line 1, column 3: the string has no end"),
        ("\"a\nb\"", "line 1, column 3: the string does not end on its line"),
        ("\"a\tb\"", "line 1, column 3: a string may not hold the control character U+0009"),
        (#""\ud800""#, "line 1, column 2: half of a surrogate pair is no character"),
        (#""\ud800\u0041""#, "line 1, column 2: half of a surrogate pair is no character"),
        (#""\udc00""#, "line 1, column 2: half of a surrogate pair is no character"),
        (#""\u12g4""#, "line 1, column 2: expected four hexadecimal digits after '\\u'"),
        (#""\x""#, "line 1, column 2: unknown escape '\\' before 'x'"),
        ("01", "line 1, column 1: a number may not start with a zero"),
        ("1.", "line 1, column 3: expected a digit, found the end of the text"),
        ("-", "line 1, column 2: expected a digit, found the end of the text"),
        ("1e", "line 1, column 3: expected a digit, found the end of the text"),
        ("+1", "line 1, column 1: expected a value, found '+'"),
        ("1 x", "line 1, column 3: expected the end of the text, found 'x'"),
        ("é", "line 1, column 1: expected a value, found 'é'"),
    ])
    func `errors name the place and what was expected`(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        #expect(error?.description == message)
    }

    @Test func `broken UTF-8 is refused`() {
        let error = #expect(throws: JSONError.self) {
            try JSONValue.parse(utf8: [0x22, 0x61, 0xff, 0x22])
        }
        #expect(error?.problem == "the string is not valid UTF-8")
    }

    @Test func `a byte order mark is passed over`() throws {
        #expect(try JSONValue.parse("\u{feff}[1]") == [1])
        let error = #expect(throws: JSONError.self) { try JSONValue.parse("\u{feff}[x]") }
        #expect(error?.column == 2)
    }

    @Test func `non-finite tokens can be refused`() {
        for text in ["NaN", "Infinity", "-Infinity"] {
            #expect(throws: JSONError.self) {
                try JSONValue.parse(text, options: .init(allowsNonFinite: false))
            }
        }
    }

    @Test func `deep nesting is refused before the stack overflows`() throws {
        let deep = String(repeating: "[", count: 1_000_000)
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(deep) }
        #expect(error?.problem == "nested more than 512 levels deep")
        let allowed =
            String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
        _ = try JSONValue.parse(allowed)
    }

    @Test func `a stream yields value after value and counts lines`() throws {
        let bytes = Array("{\"a\": 1}\n\n {\"a\": 2} 3\n[}".utf8)
        try bytes.withUnsafeBufferPointer { buffer throws -> Void in
            var parser = JSONParser(utf8: buffer)
            #expect(try parser.next() == ["a": 1])
            #expect(try parser.next() == ["a": 2])
            #expect(try parser.next() == 3)
            let error = #expect(throws: JSONError.self) { try parser.next() }
            #expect(error?.line == 4)
        }
    }

    @Test func `accessors answer nil for other kinds`() throws {
        let value = try JSONValue.parse(#"{"n": 3, "x": 3.5, "s": "t", "l": [1], "z": null}"#)
        #expect(value["n"]?.intValue == 3)
        #expect(value["n"]?.doubleValue == 3)
        #expect(value["x"]?.intValue == nil)
        #expect(value["s"]?.stringValue == "t")
        #expect(value["l"]?[0] == 1)
        #expect(value["l"]?[1] == nil)
        #expect(value["l"]?[-1] == nil)
        #expect(value["z"]?.isNull == true)
        #expect(value["missing"] == nil)
        #expect(JSONValue.int(1)["a"] == nil)
    }

    @Test func `objects can be built, changed and thinned`() {
        var object: JSONObject = ["a": 1, "b": 2, "c": 3]
        object["b"] = "two"
        object["d"] = nil
        object["a"] = nil
        object["e"] = 5
        #expect(object.keys == ["b", "c", "e"])
        #expect(object.map(\.value) == ["two", 3, 5])
        var large = JSONObject((0..<40).map { ("k\($0)", JSONValue.int($0)) })
        large.removeValue(forKey: "k3")
        #expect(large["k3"] == nil)
        #expect(large["k39"] == 39)
        #expect(large.count == 39)
    }
}
