import OrderedJSON
import Testing
import Training

/// Digests over all of Unicode, written by scripts/golden/tokenizer.py.
struct BertNormalizerTests {
    private func normalized(_ text: String, _ normalizer: BertNormalizer) -> [UInt8] {
        var output: [UInt8] = []
        var text = text
        text.withUTF8 { normalizer.normalize($0, into: &output) }
        return output
    }

    private func normalized(_ text: String, _ flags: BertNormalizer.Flags) -> String {
        String(decoding: normalized(text, BertNormalizer(flags)), as: UTF8.self)
    }

    @Test(arguments: 0..<4)
    func `every code point is normalised as in Python`(index: Int) throws {
        let golden = try #require(
            try WordPieceTokenizerTests.golden()["pipeline"]?["normalizers"]?[index])
        let normalizer = BertNormalizer(
            .init(
                cleanText: golden["clean_text"] == true,
                handleChineseChars: golden["handle_chinese_chars"] == true,
                stripAccents: golden["strip_accents"]?.boolValue,
                lowercase: golden["lowercase"] == true))
        var digest = Digest()
        for scalar in allScalars() {
            if scalar != "\u{0}" { digest.add(bytes: [0x0a]) }
            digest.add(bytes: normalized("A\(scalar)b", normalizer))
        }
        #expect(digest.text == golden["digest"]?.stringValue)
    }

    @Test func `every code point is split as in Python`() throws {
        let splitter = BertPreTokenizer()
        var digest = Digest()
        for scalar in allScalars() {
            if scalar != "\u{0}" { digest.add(bytes: [0x0a]) }
            var text = "A\(scalar)b"
            text.withUTF8 { bytes in
                var isFirst = true
                splitter.forEachWord(bytes) { word in
                    if !isFirst { digest.add(bytes: [0x09]) }
                    isFirst = false
                    digest.add(bytes: bytes[word])
                    return true
                }
            }
        }
        let golden = try WordPieceTokenizerTests.golden()["pipeline"]?["words"]
        #expect(digest.text == golden?.stringValue)
    }

    @Test func `combining marks that stay are put into canonical order`() {
        let flags = BertNormalizer.Flags(cleanText: false, handleChineseChars: false)
        // U+302E has class 224, U+1D165 216: the lower one goes first, U+0301 is dropped.
        #expect(normalized("a\u{302e}\u{301}\u{1d165}b", flags) == "a\u{1d165}\u{302e}b")
        // Characters between which a letter stands keep their order.
        #expect(normalized("\u{302e}x\u{1d165}", flags) == "\u{302e}x\u{1d165}")
    }

    @Test func `the flags do what their names say`() {
        let text = "\u{1}Éa\u{a0}你x"
        #expect(normalized(text, .init()) == "ea  你 x")
        #expect(normalized(text, .init(lowercase: false)) == "Éa  你 x")
        #expect(normalized(text, .init(handleChineseChars: false)) == "ea 你x")
        #expect(normalized(text, .init(stripAccents: false)) == "éa  你 x")
        #expect(normalized(text, .init(stripAccents: true, lowercase: false)) == "Ea  你 x")
        #expect(normalized("\u{0}a", .init(cleanText: false)) == "\u{0}a")
        #expect(normalized("ΑΣ İ", .init(stripAccents: false)) == "ασ i\u{307}")
    }
}
