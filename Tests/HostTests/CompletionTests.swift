// What Tab offers; nothing of the script runs for it.

import Host
import LuaBridge
import Testing

struct CompletionTests {
    private func complete(_ line: String, after setup: String = "") throws -> Completion {
        let session = try HostSession(progress: Progress(style: .silent))
        defer { session.close() }
        let repl = try REPL(session, write: { _ in }, writeError: { _ in })
        try session.run(chunk: setup, name: "=test")
        return repl.complete(line)
    }

    @Test func `globals, keywords and modules complete`() throws {
        #expect(try complete("opt").candidates == ["optuna"])
        #expect(try complete("loc").candidates == ["local"])
        #expect(
            try complete("my_", after: "my_value = 1 my_other = 2").candidates
                == ["my_other", "my_value"])
        #expect(try complete("x = 1 + ma").candidates == ["math"])
        #expect(try complete("nothing_of_this_name").candidates == [])
    }

    @Test func `fields complete, through modules, tables and their metatables`() throws {
        #expect(try complete("optuna.create_st").candidates == ["create_study"])
        #expect(try complete("st.losses.CoS").candidates == ["CoSENTLoss"])
        #expect(
            try complete("t.a.be", after: "t = { a = { beta = 1, gamma = 2 } }").candidates
                == ["beta"])
        let class_ = "C = { greet = function() end } C.__index = C o = setmetatable({ n = 1 }, C)"
        #expect(try complete("o:", after: class_).candidates == ["greet"])
        #expect(try complete("o.", after: class_).candidates.contains("n"))
        #expect(try complete("s:up", after: "s = 'a'").candidates == ["upper"])
    }

    @Test func `objects offer methods after a colon, and fields after a point`() throws {
        let data = "ds = datasets.Dataset.from_dict{ anchor = { 'a' } }"
        #expect(try complete("ds:shu", after: data).candidates == ["shuffle"])
        #expect(try complete("ds.num_r", after: data).candidates == ["num_rows"])
        #expect(try complete("ds:num_r", after: data).candidates == [])
        let trainer = """
            local model = st.SentenceTransformer.from_config{
              hidden_size = 32, num_hidden_layers = 1, vocab = { "a" } }
            t = st.SentenceTransformerTrainer{ model = model }
            """
        let fields = try complete("t.args.learning_r", after: trainer).candidates
        #expect(fields == ["learning_rate", "learning_rate_mapping"])
        // The types of results are declared: the calls are not made.
        #expect(
            try complete("optuna.create_study{ storage = 'nowhere' }:opti").candidates
                == ["optimize"])
        #expect(
            try complete("ds:shuffle{ seed = 1 }:sel", after: data).candidates
                == ["select", "select_columns"])
    }

    @Test func `the arguments of the call that stands open complete, those given excepted`() throws
    {
        #expect(try complete("optuna.create_study{ study_name = 'q', stu").candidates == [])
        #expect(try complete("optuna.create_study{ stu").candidates == ["study_name = "])
        #expect(
            try complete("study:optimize(f, { n_tr", after: "study = optuna.create_study()")
                .candidates == ["n_trials = "])
        #expect(
            try complete("st.SentenceTransformerTrainingArguments{\n  warmup_r").candidates
                == ["warmup_ratio = "])
        // Within a nested table of one's own, or after '=', there are no arguments.
        #expect(try complete("optuna.create_study{ study_name = stu").candidates == [])
        #expect(try complete("optuna.create_study(").hint == "create_study{ ... }")
    }

    @Test func `the arguments of a script's own function are shown`() throws {
        let setup = "function f(name, count, ...) end o = { greet = function(self, who) end }"
        #expect(try complete("f(", after: setup).hint == "f(name, count, ...)")
        #expect(try complete("x = f('a', ", after: setup).hint == "f(name, count, ...)")
        #expect(try complete("o:greet(", after: setup).hint == "greet(who)")
        #expect(try complete("o.greet(", after: setup).hint == "greet(self, who)")
        #expect(try complete("print(").hint == nil)
    }

    @Test func `strings offer the values an argument has`() throws {
        #expect(
            try complete("st.SentenceTransformerTrainingArguments{ lr_scheduler_type = \"cosine_w")
                .candidates.allSatisfy { $0.hasPrefix("cosine_w") })
        #expect(try complete("x = \"opt").candidates == [])
        #expect(try complete("-- opt").candidates == [])
    }

    @Test func `a getter is not run for its fields`() throws {
        let watched = "t = setmetatable({}, { __index = function() error('read') end })"
        #expect(try complete("t.a.b", after: watched).candidates == [])
        #expect(try complete("t.", after: watched).candidates == [])
    }
}
