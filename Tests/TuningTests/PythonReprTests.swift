// Values as Python prints them.

import OrderedJSON
import Testing

import Tuning

struct PythonReprTests {
    @Test func `texts print as in Python`() throws {
        for row in try golden("functions.json").at("strings").list() {
            let text = try row.at(0).text()
            let wanted = try row.at(1).text()
            #expect(Array(pythonRepr(text).utf8) == Array(wanted.utf8))
        }
    }

    @Test func `floats print as in Python`() throws {
        for row in try golden("functions.json").at("numbers").list() {
            let number = try row.at(0).number()
            #expect(pythonRepr(ParameterValue.double(number)) == (try row.at(1).text()))
        }
        #expect(pythonRepr(ParameterValue.double(.nan)) == "nan")
        #expect(pythonRepr(ParameterValue.double(-.infinity)) == "-inf")
    }

    @Test func `a dict prints its members in order`() {
        let params: NamedValues<ParameterValue> = [
            "lr": 1e-05, "b": 64, "o'k": "adam", "n": .null, "t": true, "f": false, "x": 5.0,
        ]
        #expect(
            pythonRepr(params)
                == "{'lr': 1e-05, 'b': 64, \"o'k\": 'adam', 'n': None, 't': True, 'f': False, "
                + "'x': 5.0}")
    }

    @Test func `JSON prints as what Python reads from it`() throws {
        let value = try JSONValue.parse(#"{"a": [1, 2.0, null, true], "b": {"c": "d"}}"#)
        #expect(pythonRepr(value) == "{'a': [1, 2.0, None, True], 'b': {'c': 'd'}}")
    }
}
