import OrderedJSON
import Testing

struct JSONWriterTests {
    let sample: JSONValue = [
        "b": [1, 2.0, .null, true], "a": ["é": "\u{7f}\"\\\n\u{1}😀/"], "e": [], "o": [:],
    ]

    @Test func `the default text is that of json dumps`() {
        #expect(
            sample.json()
                == #"{"b": [1, 2.0, null, true], "a": {"\u00e9": "\u007f\"\\\n\u0001\ud83d\ude00/"}, "#
                + #""e": [], "o": {}}"#)
    }

    @Test func `indent and sorted keys are those of json dumps`() {
        let expected = """
            {
              "a": {
                "é": "\u{7f}\\"\\\\\\n\\u0001😀/"
              },
              "b": [
                1,
                2.0,
                null,
                true
              ],
              "e": [],
              "o": {}
            }
            """
        #expect(
            sample.json(.init(indent: 2, sortsKeys: true, escapesNonASCII: false)) == expected)
    }

    @Test func `keys sort by code points`() {
        let value: JSONValue = ["\u{ffff}": 1, "é": 2, "z": 3, "😀": 4, "e\u{301}": 5, "Z": 6]
        #expect(
            value.json(.init(itemSeparator: ",", keySeparator: ":", sortsKeys: true))
                == #"{"Z":6,"e\u0301":5,"z":3,"\u00e9":2,"\uffff":1,"\ud83d\ude00":4}"#)
    }

    @Test func `non-finite numbers are Python's tokens`() {
        let value: JSONValue = [
            .double(.nan), .double(.infinity), .double(-.infinity), .double(-0.0),
        ]
        #expect(value.json(.compact) == "[NaN,Infinity,-Infinity,-0.0]")
    }

    /// Values and texts from CPython's repr.
    @Test(
        arguments: [
            (0, "0.0"), (-0.0, "-0.0"), (5, "5.0"), (0.1, "0.1"), (1e-4, "0.0001"), (1e-5, "1e-05"),
            (1e-7, "1e-07"), (2e-5, "2e-05"), (1.5e-5, "1.5e-05"), (0.00012, "0.00012"),
            (1e15, "1000000000000000.0"), (1e16, "1e+16"),
            (9_999_999_999_999_998, "9999999999999998.0"),
            (12_345_678_901_234_568, "1.2345678901234568e+16"), (123456.789, "123456.789"),
            (1e22, "1e+22"), (1e23, "1e+23"), (.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"), (-1.5e300, "-1.5e+300"),
            (0.1 + 0.2, "0.30000000000000004"), (1.0 / 3, "0.3333333333333333"), (100, "100.0"),
            (9_007_199_254_740_992, "9007199254740992.0"), (2.5e-100, "2.5e-100"),
            (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
        ] as [(Double, String)])
    func `floats look as in Python`(value: Double, expected: String) {
        #expect(pythonRepr(value) == expected)
    }

    @Test func `every double reads back as itself`() throws {
        var word: UInt64 = 0x9e37_79b9_7f4a_7c15
        for _ in 0..<20_000 {
            word ^= word << 13
            word ^= word >> 7
            word ^= word << 17
            let value = Double(bitPattern: word)
            guard value.isFinite else { continue }
            let text = JSONValue.double(value).json()
            let back = try #require(try JSONValue.parse(text).doubleValue)
            #expect(back.bitPattern == value.bitPattern, "\(text)")
        }
    }

    @Test func `what was written is read again`() throws {
        #expect(try JSONValue.parse(sample.json()) == sample)
        #expect(try JSONValue.parse(sample.json(.compact)) == sample)
    }
}
